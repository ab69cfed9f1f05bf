# BiSeNet over a ResNet-50 with ImageNet weights, four times as wide: 4 processes, 4 images each.
_base_ = './bisenetv1_r18-d32-in1k-pre_4xb4-160k_cityscapes-1024x1024.py'

model = dict(
    backbone=dict(
        backbone_cfg=dict(depth=50, init_cfg=dict(checkpoint='torchvision://resnet50')),
        spatial_channels=(256, 256, 256, 512),
        context_channels=(512, 1024, 2048),
        out_channels=1024),
    decode_head=dict(in_channels=1024, channels=1024),
    auxiliary_head=[dict(head, in_channels=512, channels=256)
                    for head in _base_.model.auxiliary_head])
optim_wrapper = dict(optimizer=dict(lr=0.05))
