"""PSPNet with a ResNet-50 of plain stem, dilated to output stride 8, weights of torchvision."""
_base_ = './pspnet_r50-d8.py'

model = dict(
    pretrained=None,
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')))
