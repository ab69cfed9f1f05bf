# UNet over a DenseNet-121 dilated to output stride 8, ImageNet weights; else as unet_r101d_city.
#   bash tools/dist_train.sh configs/unet/unet_densenet121d_city.py 4
_base_ = './unet_r101d_city.py'

model = dict(
    backbone=dict(
        _delete_=True, type='DenseNet', depth=121, output_stride=8, out_stem=True,
        norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://densenet121')),
    decode_head=dict(in_channels=(64, 256, 512, 1024, 1024)))
