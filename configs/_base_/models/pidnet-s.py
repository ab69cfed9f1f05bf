"""PIDNet-S, as mmsegmentation publishes it."""
_base_ = './encoder_decoder.py'

# The weights of the classes are those of OCNet's training on Cityscapes.
class_weight = [
    0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539, 0.9843,
    1.1116, 0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507]
ohem = dict(type='OhemCrossEntropy', thres=0.9, min_kept=131072, class_weight=class_weight)
model = dict(
    backbone=dict(
        type='PIDNet',
        channels=32,
        ppm_channels=96,
        num_stem_blocks=2,
        num_branch_blocks=3,
        align_corners=False,
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(
        type='PIDHead',
        in_channels=128,
        channels=128,
        num_classes=19,
        norm_cfg=_base_.norm_cfg,
        align_corners=True,
        loss_decode=[
            dict(type='CrossEntropyLoss', use_sigmoid=False, class_weight=class_weight,
                 loss_weight=0.4),
            dict(ohem, loss_weight=1.0),
            dict(type='BoundaryLoss', loss_weight=20.0),
            dict(ohem, loss_weight=1.0)]))
