# DeepLabV3+ over a MobileNetV2 of output stride 8 on ADE20K: 4 processes, 4 images each.
#   segplug train mobilenet_v2/mobilenet-v2-d8_deeplabv3plus_4xb4-160k_ade20k-512x512.py --nproc 4
_base_ = [
    '../_base_/models/mobilenet-v2-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(
        type='DepthwiseSeparableASPPHead', dilations=(1, 12, 24, 36),
        c1_in_channels=24, c1_channels=48, num_classes=150),
    auxiliary_head=dict(num_classes=150))
auto_scale_lr = dict(base_batch_size=16)
