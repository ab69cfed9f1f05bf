# BiSeNet V2 on Cityscapes from random weights: 4 processes, 4 images each.
#   bash tools/dist_train.sh configs/bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py 4
_base_ = [
    '../_base_/models/bisenetv2.py', '../_base_/datasets/cityscapes_1024x1024.py',
    '../_base_/schedules/schedule_160k_warmup.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_dataloader = dict(batch_size=4)
auto_scale_lr = dict(base_batch_size=16)
