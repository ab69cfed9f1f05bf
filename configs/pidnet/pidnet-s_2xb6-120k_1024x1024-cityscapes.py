# PIDNet-S with ImageNet weights on Cityscapes: 2 processes, 6 images each.
#   bash tools/dist_train.sh configs/pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py 2
_base_ = [
    '../_base_/models/pidnet-s.py', '../_base_/datasets/cityscapes_1024x1024.py',
    '../_base_/schedules/schedule_120k.py', '../_base_/default_runtime.py',
]

checkpoint = ('https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/pidnet/'
              'pidnet-s_imagenet1k_20230306-715e6273.pth')
data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint=checkpoint)))
*steps, pack = _base_.train_pipeline
train_dataloader = dict(batch_size=6, dataset=dict(
    pipeline=[*steps, dict(type='GenerateEdge', edge_width=4), pack]))
del steps, pack
randomness = dict(seed=304)
auto_scale_lr = dict(base_batch_size=12)
