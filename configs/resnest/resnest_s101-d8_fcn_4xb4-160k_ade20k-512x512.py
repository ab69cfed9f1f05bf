# FCN over a ResNeSt-101 of output stride 8 on ADE20K: 4 processes, 4 images each.
#   segplug train resnest/resnest_s101-d8_fcn_4xb4-160k_ade20k-512x512.py --nproc 4
_base_ = [
    '../_base_/models/resnest_s101-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/schedules/schedule_160k.py', '../_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=dict(type='FCNHead', num_convs=2, concat_input=True, num_classes=150),
    auxiliary_head=dict(num_classes=150))
auto_scale_lr = dict(base_batch_size=16)
