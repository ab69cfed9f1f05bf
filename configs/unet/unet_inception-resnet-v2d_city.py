# UNet over an Inception-ResNet-v2 dilated to output stride 8 from random weights,
# unless init_cfg names a file; else as unet_r101d_city.
#   bash tools/dist_train.sh configs/unet/unet_inception-resnet-v2d_city.py 4
_base_ = './unet_r101d_city.py'

# What the published weights were trained on.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(
        _delete_=True, type='InceptionResNetV2', output_stride=8, out_stem=True,
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(in_channels=(64, 192, 320, 1088, 1536)))
