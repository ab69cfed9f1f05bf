# DeepLabV3+ over a ResNeSt-101 of output stride 8 on Cityscapes: 4 processes, 2 images each.
_base_ = [
    '../_base_/models/deeplabv3plus_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    pretrained='open-mmlab://resnest101',
    backbone=dict(type='ResNeSt', depth=101, stem_channels=128, radix=2, reduction_factor=4,
                  avg_down_stride=True))
