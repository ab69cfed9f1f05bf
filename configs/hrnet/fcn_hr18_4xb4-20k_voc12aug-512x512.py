# FCN over an HRNetV2-W18 on VOC 2012 with its further labels: 4 processes, 4 images each.
#   segplug train hrnet/fcn_hr18_4xb4-20k_voc12aug-512x512.py --nproc 4
_base_ = [
    '../_base_/models/fcn_hr18.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/schedules/schedule_20k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(num_classes=21))
auto_scale_lr = dict(base_batch_size=16)
