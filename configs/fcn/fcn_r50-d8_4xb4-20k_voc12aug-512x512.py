# FCN over a ResNet-50 of output stride 8 on VOC 2012 aug: 4 processes, 4 images each.
#   segplug train fcn/fcn_r50-d8_4xb4-20k_voc12aug-512x512.py --nproc 4
_base_ = [
    '../_base_/models/fcn_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/schedules/schedule_20k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21))
auto_scale_lr = dict(base_batch_size=16)
