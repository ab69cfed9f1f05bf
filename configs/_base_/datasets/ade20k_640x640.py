# ADE20K as ade20k.py has it, a quarter larger: crops of 640x640, tested with a short side of 640.
_base_ = './ade20k.py'

img_scale = (2560, 640)
crop_size = (640, 640)
train_pipeline = [dict(step, scale=img_scale) if step['type'] == 'RandomResize' else
                  dict(step, crop_size=crop_size) if step['type'] == 'RandomCrop' else step
                  for step in _base_.train_pipeline]
test_pipeline = [dict(step, scale=img_scale) if step['type'] == 'Resize' else step
                 for step in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
