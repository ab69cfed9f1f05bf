"""UNet over a ResNet-101 dilated to output stride 8, plain 7x7 stem, ImageNet weights.

The leaf sets decode_head.num_classes.
"""
_base_ = './unet_r18.py'

model = dict(
    backbone=dict(
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101')),
    decode_head=dict(in_channels=(64, 256, 512, 1024, 2048)))
