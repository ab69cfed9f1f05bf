"""Fast-SCNN, one sigmoid per class in the loss, from random weights."""
_base_ = './encoder_decoder.py'

norm_cfg = dict(type='SyncBN', requires_grad=True, momentum=0.01)
sigmoid = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.4)
auxiliary_head = dict(
    type='FCNHead',
    in_channels=128,
    in_index=-2,
    channels=32,
    num_convs=1,
    concat_input=False,
    num_classes=19,
    norm_cfg=norm_cfg,
    align_corners=False,
    loss_decode=sigmoid)
model = dict(
    backbone=dict(
        type='FastSCNN',
        downsample_dw_channels=(32, 48),
        global_in_channels=64,
        global_block_channels=(64, 96, 128),
        global_block_strides=(2, 2, 1),
        global_out_channels=128,
        higher_in_channels=64,
        lower_in_channels=128,
        fusion_out_channels=128,
        out_indices=(0, 1, 2),
        norm_cfg=norm_cfg,
        align_corners=False),
    decode_head=dict(
        type='DepthwiseSeparableFCNHead',
        in_channels=128,
        in_index=-1,
        channels=128,
        concat_input=False,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(sigmoid, loss_weight=1.0)),
    auxiliary_head=[auxiliary_head, dict(auxiliary_head, in_channels=64, in_index=-3)])
