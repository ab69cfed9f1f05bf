"""A MobileNetV2 of output stride 8; a config adds the head."""
_base_ = './resnet50-d8.py'

model = dict(
    pretrained='mmcls://mobilenet_v2',
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(1, 2, 4, 6),
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(in_channels=320),
    auxiliary_head=dict(in_channels=96))
