# STDC1 with ImageNet weights on Cityscapes: 4 processes, 12 images each.
#   bash tools/dist_train.sh configs/stdc/stdc1_in1k-pre_4xb12-80k_cityscapes-512x1024.py 4
_base_ = [
    '../_base_/models/stdc.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k_warmup.py', '../_base_/default_runtime.py',
]

checkpoint = ('https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/stdc/'
              'stdc1_20220308-5368626c.pth')
data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(backbone_cfg=dict(init_cfg=dict(type='Pretrained', checkpoint=checkpoint))))
train_dataloader = dict(batch_size=12)
auto_scale_lr = dict(base_batch_size=48)
