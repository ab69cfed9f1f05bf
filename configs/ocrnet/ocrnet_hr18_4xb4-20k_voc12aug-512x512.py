# OCRNet over an HRNetV2-W18 on VOC 2012 with its further labels: 4 processes, 4 images each.
#   segplug train ocrnet/ocrnet_hr18_4xb4-20k_voc12aug-512x512.py --nproc 4
_base_ = [
    '../_base_/models/ocrnet_hr18.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/schedules/schedule_20k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=[dict(head, num_classes=21) for head in _base_.model.decode_head])
auto_scale_lr = dict(base_batch_size=16)
