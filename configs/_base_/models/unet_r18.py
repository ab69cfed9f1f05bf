"""UNet over a plain ResNet-18, from random weights. The leaf sets decode_head.num_classes."""
_base_ = './encoder_decoder.py'

model = dict(
    backbone=dict(type='ResNet', depth=18, out_stem=True, norm_cfg=_base_.norm_cfg),
    decode_head=dict(
        type='UNetHead',
        in_channels=(64, 64, 128, 256, 512),
        decoder_channels=(256, 128, 64, 32, 16),
        dropout_ratio=0,
        norm_cfg=_base_.norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
