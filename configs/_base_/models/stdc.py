"""STDC1, its context path and the head of its boundaries, as mmsegmentation publishes it."""
_base_ = './encoder_decoder.py'

norm_cfg = dict(type='BN', requires_grad=True)
fcn = dict(
    type='FCNHead', num_convs=1, concat_input=False, dropout_ratio=0.1, num_classes=19,
    norm_cfg=norm_cfg,
    sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=10000),
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0))
model = dict(
    backbone=dict(
        type='STDCContextPathNet',
        backbone_cfg=dict(
            type='STDCNet',
            stdc_type='STDCNet1',
            in_channels=3,
            channels=(32, 64, 256, 512, 1024),
            bottleneck_type='cat',
            num_convs=4,
            norm_cfg=norm_cfg,
            act_cfg=dict(type='ReLU'),
            with_final_conv=False),
        last_in_channels=(1024, 512),
        out_channels=128,
        ffm_cfg=dict(in_channels=384, out_channels=256, scale_factor=4),
        norm_cfg=norm_cfg),
    decode_head=dict(fcn, in_channels=256, in_index=3, channels=256, align_corners=True),
    auxiliary_head=[
        dict(fcn, in_channels=128, in_index=2, channels=64),
        dict(fcn, in_channels=128, in_index=1, channels=64),
        dict(
            type='STDCHead',
            in_channels=256,
            in_index=0,
            channels=64,
            num_convs=1,
            num_classes=2,
            boundary_threshold=0.1,
            norm_cfg=norm_cfg,
            concat_input=False,
            align_corners=True,
            loss_decode=[
                dict(type='CrossEntropyLoss', loss_name='loss_ce', use_sigmoid=True,
                     loss_weight=1.0),
                dict(type='DiceLoss', loss_name='loss_dice', loss_weight=1.0)])])
