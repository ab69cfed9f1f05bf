# DeepLabV3+ over a MobileNetV2 of output stride 8 on ADE20K: 4 processes, 4 images each.
#   segplug train mobilenet_v2/mobilenet-v2-d8_deeplabv3plus_4xb4-160k_ade20k-512x512.py --nproc 4
_base_ = [
    '../_base_/models/deeplabv3plus_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    pretrained='mmcls://mobilenet_v2',
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(1, 2, 4, 6),
        norm_cfg=_base_.norm_cfg),
    decode_head=dict(num_classes=150, in_channels=320, c1_in_channels=24),
    auxiliary_head=dict(num_classes=150, in_channels=96))
auto_scale_lr = dict(base_batch_size=16)
