"""FastFCN: a ResNet-50 of output stride 32, brought to 8 by a JPU; a config adds the head."""
_base_ = './resnet50-d8.py'

model = dict(
    # The last stage keeps its dilation beside its stride, as the published weights have it.
    backbone=dict(strides=(1, 2, 2, 2), out_indices=(1, 2, 3)),
    neck=dict(
        type='JPU',
        in_channels=(512, 1024, 2048),
        mid_channels=512,
        start_level=0,
        end_level=-1,
        dilations=(1, 2, 4, 8),
        align_corners=False,
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(in_index=2),
    auxiliary_head=dict(in_index=1))
