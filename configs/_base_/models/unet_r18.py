"""UNet over a plain ResNet-18, from random weights. The leaf sets decode_head.num_classes."""
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='ResNet', depth=18, out_stem=True, norm_cfg=norm_cfg),
    decode_head=dict(
        type='UNetHead',
        in_channels=(64, 64, 128, 256, 512),
        decoder_channels=(256, 128, 64, 32, 16),
        dropout_ratio=0,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
