# Lite R-ASPP over the large MobileNetV3, from random weights: 4 processes, 4 images each.
_base_ = [
    '../_base_/models/lraspp_m-v3-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_320k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
train_dataloader = dict(batch_size=4)
auto_scale_lr = dict(base_batch_size=16)
