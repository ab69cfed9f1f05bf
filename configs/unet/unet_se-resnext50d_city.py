# UNet over an SE-ResNeXt-50 dilated to output stride 8, ImageNet weights; else unet_r101d_city.
#   bash tools/dist_train.sh configs/unet/unet_se-resnext50d_city.py 4
_base_ = './unet_r101d_city.py'

model = dict(
    backbone=dict(
        _delete_=True, type='SENet', arch='se_resnext50_32x4d', output_stride=8, out_stem=True,
        norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='timm://legacy_seresnext50_32x4d')),
    decode_head=dict(in_channels=(64, 256, 512, 1024, 2048)))
