# DeepLabV3 over a ResNet-18 of output stride 8 on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/deeplabv3/deeplabv3_r18-d8_4xb2-80k_cityscapes-512x1024.py 4
_base_ = './deeplabv3_r50-d8_4xb2-80k_cityscapes-512x1024.py'
model = dict(
    pretrained='open-mmlab://resnet18_v1c',
    backbone=dict(depth=18),
    decode_head=dict(in_channels=512, channels=128),
    auxiliary_head=dict(in_channels=256, channels=64))
