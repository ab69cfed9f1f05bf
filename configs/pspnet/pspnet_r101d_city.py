# PSPNet with a dilated ResNet-101 on Cityscapes: 4 processes, 2 images each, 200 epochs.
#   bash tools/dist_train.sh configs/pspnet/pspnet_r101d_city.py 4
_base_ = './pspnet_r50d_city.py'
model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')))
