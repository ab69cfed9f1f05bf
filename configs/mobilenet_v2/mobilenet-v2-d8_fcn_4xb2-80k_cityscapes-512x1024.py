# FCN over a MobileNetV2 of output stride 8 on Cityscapes: 4 processes, 2 images each.
_base_ = [
    '../_base_/models/fcn_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
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
