# Cityscapes as cityscapes.py has it, in crops of 769x769; images have one pixel more each way,
# tested too, for networks whose strides divide by 8 with one pixel left.
_base_ = './cityscapes.py'

img_scale = (2049, 1025)
crop_size = (769, 769)
train_pipeline = [dict(step, scale=img_scale) if step['type'] == 'RandomResize' else
                  dict(step, crop_size=crop_size) if step['type'] == 'RandomCrop' else step
                  for step in _base_.train_pipeline]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=img_scale, keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
