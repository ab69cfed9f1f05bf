# PSPNet over a ResNet-101 of output stride 8 on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/pspnet/pspnet_r101-d8_4xb2-80k_cityscapes-512x1024.py 4
_base_ = './pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
