# ICNet over a ResNet-50 with ImageNet weights on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/icnet/icnet_r50-d8-in1k-pre_4xb2-80k_cityscapes-832x832.py 4
_base_ = [
    '../_base_/models/icnet_r50-d8.py', '../_base_/datasets/cityscapes_832x832.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(backbone_cfg=dict(
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet50_v1c'))))
