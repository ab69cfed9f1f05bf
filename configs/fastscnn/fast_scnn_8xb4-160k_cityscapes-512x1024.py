# Fast-SCNN on Cityscapes: 8 processes, 4 images each.
#   bash tools/dist_train.sh configs/fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py 8
_base_ = [
    '../_base_/models/fast_scnn.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=0.12, weight_decay=4e-5))
auto_scale_lr = dict(base_batch_size=32)
