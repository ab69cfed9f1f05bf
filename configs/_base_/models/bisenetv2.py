"""BiSeNet V2, as mmsegmentation publishes it."""
_base_ = './encoder_decoder.py'

fcn = dict(
    type='FCNHead', num_convs=2, concat_input=False, dropout_ratio=0.1, num_classes=19,
    norm_cfg=_base_.norm_cfg, align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0))
model = dict(
    backbone=dict(
        type='BiSeNetV2',
        detail_channels=(64, 64, 128),
        semantic_channels=(16, 32, 64, 128),
        semantic_expansion_ratio=6,
        bga_channels=128,
        out_indices=(0, 1, 2, 3, 4),
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(fcn, in_channels=128, in_index=0, channels=1024, num_convs=1),
    auxiliary_head=[
        dict(fcn, in_channels=width, in_index=i, channels=channels)
        for i, (width, channels) in enumerate(((16, 16), (32, 64), (64, 256), (128, 1024)), 1)])
