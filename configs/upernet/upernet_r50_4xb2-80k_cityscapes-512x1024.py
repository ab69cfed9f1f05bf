# UPerNet over a plain ResNet-50 on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/upernet/upernet_r50_4xb2-80k_cityscapes-512x1024.py 4
_base_ = [
    '../_base_/models/upernet_r50.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
