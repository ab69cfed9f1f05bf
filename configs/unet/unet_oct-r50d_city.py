# UNet over an octave ResNet-50 dilated to output stride 8 from random weights,
# unless init_cfg names a file; else as unet_r101d_city.
#   bash tools/dist_train.sh configs/unet/unet_oct-r50d_city.py 4
_base_ = './unet_r101d_city.py'

model = dict(
    backbone=dict(
        _delete_=True, type='OctResNet', depth=50, output_stride=8, out_stem=True,
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(in_channels=(64, 256, 512, 1024, 2048)))
