"""GCNet with a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './fcn_r50-d8.py'

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    decode_head=dict(
        _delete_=True,
        type='GCHead',
        in_channels=2048,
        in_index=3,
        channels=512,
        ratio=1 / 4.,
        pooling_type='att',
        fusion_types=('channel_add',),
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)))
