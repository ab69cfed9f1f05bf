# Lite R-ASPP over the small MobileNetV3, from random weights: 4 processes, 4 images each.
_base_ = './mobilenet-v3-d8-scratch_lraspp_4xb4-320k_cityscapes-512x1024.py'

model = dict(
    backbone=dict(arch='small', out_indices=(0, 1, 12)),
    decode_head=dict(in_channels=(16, 16, 576)))
