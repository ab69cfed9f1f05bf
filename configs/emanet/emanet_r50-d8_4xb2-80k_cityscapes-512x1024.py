# EMANet over a ResNet-50 of output stride 8 on Cityscapes: 4 processes, 2 images each.
#   bash tools/dist_train.sh configs/emanet/emanet_r50-d8_4xb2-80k_cityscapes-512x1024.py 4
_base_ = [
    '../_base_/models/emanet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
