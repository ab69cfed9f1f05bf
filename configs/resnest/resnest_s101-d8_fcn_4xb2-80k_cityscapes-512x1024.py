# FCN over a ResNeSt-101 of output stride 8 on Cityscapes: 4 processes, 2 images each.
_base_ = [
    '../_base_/models/resnest_s101-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/schedules/schedule_80k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(type='FCNHead', num_convs=2, concat_input=True))
