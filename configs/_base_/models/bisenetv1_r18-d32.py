"""BiSeNet over a plain ResNet-18, as mmsegmentation publishes it."""
_base_ = './encoder_decoder.py'

fcn = dict(
    type='FCNHead', num_convs=1, concat_input=False, dropout_ratio=0.1, num_classes=19,
    norm_cfg=_base_.norm_cfg, align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0))
model = dict(
    backbone=dict(
        type='BiSeNetV1',
        backbone_cfg=dict(type='ResNet', depth=18, norm_cfg=_base_.norm_cfg),
        spatial_channels=(64, 64, 64, 128),
        context_channels=(128, 256, 512),
        out_channels=256,
        out_indices=(0, 1, 2),
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(fcn, in_channels=256, in_index=0, channels=256),
    auxiliary_head=[
        dict(fcn, in_channels=128, in_index=1, channels=64),
        dict(fcn, in_channels=128, in_index=2, channels=64)])
