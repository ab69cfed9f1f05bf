# PointRend over semantic FPN with a ResNet-50 on ADE20K: 4 processes, 4 images each.
#   segplug train point_rend/pointrend_r50_4xb4-160k_ade20k-512x512.py --nproc 4
_base_ = [
    '../_base_/models/pointrend_r50.py', '../_base_/datasets/ade20k.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=[dict(head, num_classes=150) for head in _base_.model.decode_head])
auto_scale_lr = dict(base_batch_size=16)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.1, begin=0, end=200),
    dict(type='PolyLR', power=0.9, eta_min=1e-4, begin=200, end=160000, by_epoch=False),
]
