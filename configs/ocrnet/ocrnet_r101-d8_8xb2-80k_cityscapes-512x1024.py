# OCRNet over a ResNet-101 of output stride 8 on Cityscapes: 8 processes, 2 images each.
_base_ = [
    '../_base_/models/ocrnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    pretrained='open-mmlab://resnet101_v1c',
    backbone=dict(depth=101))
# Twice the processes of the schedule, so twice the rate.
optim_wrapper = dict(optimizer=dict(lr=0.02))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=2e-4, by_epoch=False)]
auto_scale_lr = dict(base_batch_size=16)
