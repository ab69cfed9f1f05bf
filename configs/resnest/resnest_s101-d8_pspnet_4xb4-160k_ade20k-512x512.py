# PSPNet over a ResNeSt-101 of output stride 8 on ADE20K: 4 processes, 4 images each.
#   segplug train resnest/resnest_s101-d8_pspnet_4xb4-160k_ade20k-512x512.py --nproc 4
_base_ = [
    '../_base_/models/pspnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    pretrained='open-mmlab://resnest101',
    backbone=dict(type='ResNeSt', depth=101, stem_channels=128, radix=2, reduction_factor=4,
                  avg_down_stride=True),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150))
auto_scale_lr = dict(base_batch_size=16)
