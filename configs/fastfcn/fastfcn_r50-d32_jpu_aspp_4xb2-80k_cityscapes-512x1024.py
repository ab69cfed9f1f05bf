# FastFCN with an ASPP head over a ResNet-50 on Cityscapes: 4 processes, 2 images each.
#   segplug train fastfcn/fastfcn_r50-d32_jpu_aspp_4xb2-80k_cityscapes-512x1024.py --nproc 4
_base_ = [
    '../_base_/models/fastfcn_r50-d32_jpu.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor, decode_head=dict(
    type='ASPPHead', dilations=(1, 12, 24, 36)))
