# BiSeNet V2 whose losses are those of the hard pixels: 4 processes, 4 images each.
_base_ = './bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py'

sampler = dict(type='OHEMPixelSampler', thresh=0.7, min_kept=10000)
model = dict(
    decode_head=dict(sampler=sampler),
    auxiliary_head=[dict(head, sampler=sampler) for head in _base_.model.auxiliary_head])
