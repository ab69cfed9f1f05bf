# CGNet on Cityscapes: 4 processes, 8 images each.
#   bash tools/dist_train.sh configs/cgnet/cgnet_fcn_4xb8-60k_cityscapes-512x1024.py 4
_base_ = [
    '../_base_/models/cgnet.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_60k_adam.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
train_dataloader = dict(batch_size=8)
auto_scale_lr = dict(base_batch_size=32)
