"""ERFNet with an FCN head, from random weights."""
_base_ = './encoder_decoder.py'

model = dict(
    pretrained=None,
    # Published with plain batch norm, of the images of one process.
    backbone=dict(type='ERFNet', in_channels=3, dropout_ratio=0.1),
    decode_head=dict(
        type='FCNHead',
        in_channels=16,
        channels=128,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)))
