# PSPNet with a plain ResNet-101 on Cityscapes: 4 processes, 2 images each, 200 epochs.
#   bash tools/dist_train.sh configs/pspnet/pspnet_r101_city.py 4
_base_ = './pspnet_r101d_city.py'
model = dict(backbone=dict(strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1)))
