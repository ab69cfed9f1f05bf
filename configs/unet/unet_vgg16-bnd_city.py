# UNet over a VGG-16 with norms dilated to output stride 8, ImageNet weights; else unet_r101d_city.
#   bash tools/dist_train.sh configs/unet/unet_vgg16-bnd_city.py 4
_base_ = './unet_r101d_city.py'

model = dict(
    backbone=dict(
        _delete_=True, type='VGG', depth=16, output_stride=8, out_stem=True,
        norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16_bn')),
    decode_head=dict(in_channels=(128, 256, 512, 512, 512)))
