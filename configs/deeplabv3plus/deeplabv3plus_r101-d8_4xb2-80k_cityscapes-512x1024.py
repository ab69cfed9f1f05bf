# DeepLabV3+ over a ResNet-101 of output stride 8 on Cityscapes: 4 processes, 2 images each.
#   segplug train deeplabv3plus/deeplabv3plus_r101-d8_4xb2-80k_cityscapes-512x1024.py --nproc 4
_base_ = './deeplabv3plus_r50-d8_4xb2-80k_cityscapes-512x1024.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
