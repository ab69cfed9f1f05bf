# FastFCN with an encoding head over a ResNet-50 on Cityscapes: 4 processes, 2 images each.
#   segplug train fastfcn/fastfcn_r50-d32_jpu_enc_4xb2-80k_cityscapes-512x1024.py --nproc 4
_base_ = [
    '../_base_/models/fastfcn_r50-d32_jpu.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor, decode_head=dict(
    type='EncHead', in_channels=[512, 1024, 2048], in_index=(0, 1, 2), num_codes=32,
    use_se_loss=True, add_lateral=False,
    loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2)))
