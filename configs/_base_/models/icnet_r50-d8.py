"""ICNet over a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './encoder_decoder.py'

fcn = dict(
    type='FCNHead', in_channels=128, channels=128, num_convs=1, concat_input=False,
    num_classes=19, norm_cfg=_base_.norm_cfg, align_corners=False)
model = dict(
    backbone=dict(
        type='ICNet',
        backbone_cfg=dict(
            type='ResNetV1c',
            depth=50,
            num_stages=4,
            out_indices=(0, 1, 2, 3),
            dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1),
            norm_cfg=_base_.norm_cfg,
            norm_eval=False,
            style='pytorch',
            contract_dilation=True),
        layer_channels=(512, 2048),
        light_branch_middle_channels=32,
        psp_out_channels=512,
        out_channels=(64, 256, 256),
        norm_cfg=_base_.norm_cfg,
        align_corners=False),
    neck=dict(type='ICNeck', in_channels=(64, 256, 256), out_channels=128, norm_cfg=_base_.norm_cfg,
              align_corners=False),
    decode_head=dict(
        fcn, in_index=2, dropout_ratio=0,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)),
    auxiliary_head=[
        dict(fcn, in_index=i, loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4)) for i in (0, 1)])
