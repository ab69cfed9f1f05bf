# Lite R-ASPP over the large MobileNetV3, from ImageNet weights: 4 processes, 4 images each.
_base_ = './mobilenet-v3-d8-scratch_lraspp_4xb4-320k_cityscapes-512x1024.py'

model = dict(pretrained='open-mmlab://contrib/mobilenet_v3_large')
