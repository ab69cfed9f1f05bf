# DeepLabV3 over a MobileNetV2 of output stride 8 on Cityscapes: 4 processes, 2 images each.
_base_ = [
    '../_base_/models/mobilenet-v2-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(type='ASPPHead', dilations=(1, 12, 24, 36)))
