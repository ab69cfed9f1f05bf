# HRF, vessels of the retina, as drive.py has DRIVE, in crops of 256x256.
_base_ = './drive.py'

dataset_type = 'HRFDataset'
data_root = 'data/HRF'
img_scale = (2336, 3504)
crop_size = (256, 256)
train_pipeline = [dict(step, scale=img_scale) if step['type'] == 'RandomResize' else
                  dict(step, crop_size=crop_size) if step['type'] == 'RandomCrop' else step
                  for step in _base_.train_pipeline]
test_pipeline = [dict(step, scale=img_scale) if step['type'] == 'Resize' else step
                 for step in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=train_pipeline)))
val_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
