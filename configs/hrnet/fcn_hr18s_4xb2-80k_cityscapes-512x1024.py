# FCN over a small HRNetV2-W18, of fewer blocks, on Cityscapes: 4 processes, 2 images each.
_base_ = './fcn_hr18_4xb2-80k_cityscapes-512x1024.py'
model = dict(
    pretrained='open-mmlab://msra/hrnetv2_w18_small',
    backbone=dict(extra=dict(
        stage1=dict(num_blocks=(2,)),
        stage2=dict(num_blocks=(2, 2)),
        stage3=dict(num_modules=3, num_blocks=(2, 2, 2)),
        stage4=dict(num_modules=2, num_blocks=(2, 2, 2, 2)))))
