# OCRNet over an HRNetV2-W48 on Cityscapes: 4 processes, 2 images each.
_base_ = './ocrnet_hr18_4xb2-80k_cityscapes-512x1024.py'
model = dict(
    pretrained='open-mmlab://msra/hrnetv2_w48',
    backbone=dict(extra=dict(
        stage2=dict(num_channels=(48, 96)),
        stage3=dict(num_channels=(48, 96, 192)),
        stage4=dict(num_channels=(48, 96, 192, 384)))),
    decode_head=[
        dict(_base_.model.decode_head[0], in_channels=[48, 96, 192, 384], channels=720),
        dict(_base_.model.decode_head[1], in_channels=[48, 96, 192, 384])])
