# ICNet over a ResNet-101 with ImageNet weights on Cityscapes: 4 processes, 2 images each.
_base_ = './icnet_r50-d8-in1k-pre_4xb2-80k_cityscapes-832x832.py'

model = dict(backbone=dict(
    backbone_cfg=dict(depth=101, init_cfg=dict(checkpoint='open-mmlab://resnet101_v1c'))))
