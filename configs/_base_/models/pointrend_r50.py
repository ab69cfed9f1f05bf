"""PointRend over semantic FPN with a ResNet-50, as mmsegmentation publishes it."""
_base_ = './fpn_r50.py'

model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    decode_head=[
        dict(_base_.model.decode_head, dropout_ratio=-1),
        dict(
            type='PointHead',
            in_channels=[256],
            in_index=[0],
            channels=256,
            num_fcs=3,
            coarse_pred_each_layer=True,
            dropout_ratio=-1,
            num_classes=19,
            align_corners=False,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0))],
    train_cfg=dict(num_points=2048, oversample_ratio=3, importance_sample_ratio=0.75),
    test_cfg=dict(subdivision_steps=2, subdivision_num_points=8196, scale_factor=2))
