# PointRend over semantic FPN with a ResNet-50 on Cityscapes: 4 processes, 2 images each.
_base_ = [
    '../_base_/models/pointrend_r50.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.1, begin=0, end=200),
    dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=200, end=80000, by_epoch=False),
]
