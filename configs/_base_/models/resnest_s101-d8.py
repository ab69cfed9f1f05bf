"""A ResNeSt-101 of output stride 8; a config adds the head."""
_base_ = './resnet50-d8.py'

model = dict(
    pretrained='open-mmlab://resnest101',
    backbone=dict(type='ResNeSt', depth=101, stem_channels=128, radix=2, reduction_factor=4,
                  avg_down_stride=True))
