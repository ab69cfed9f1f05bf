# DDRNet-23-slim with ImageNet weights on Cityscapes: 2 processes, 6 images each.
#   bash tools/dist_train.sh \
#     configs/ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py 2
_base_ = [
    '../_base_/models/ddrnet_23-slim.py', '../_base_/datasets/cityscapes_1024x1024.py',
    '../_base_/schedules/schedule_120k.py', '../_base_/default_runtime.py',
]

checkpoint = ('https://download.openmmlab.com/mmsegmentation/v0.5/ddrnet/pretrain/'
              'ddrnet23s-in1kpre_3rdparty-1ccac5b1.pth')
data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint=checkpoint)))
train_dataloader = dict(batch_size=6)
randomness = dict(seed=304)
auto_scale_lr = dict(base_batch_size=12)
