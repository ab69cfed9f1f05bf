# UPerNet over a plain ResNet-101 on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/upernet/upernet_r101_4xb2-80k_cityscapes-512x1024.py 4
_base_ = './upernet_r50_4xb2-80k_cityscapes-512x1024.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
