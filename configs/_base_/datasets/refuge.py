# REFUGE, optic cup and disc: crops of 512x512 after scale, 4 images on each process.
_base_ = './by_iteration.py'

dataset_type = 'REFUGEDataset'
data_root = 'data/REFUGE'
crop_size = (512, 512)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(2056, 2124), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# Scores are taken at the size of the label, which is read as it is.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1634, 1634), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=train_pipeline,
    data_prefix=dict(img_path='images/training', seg_map_path='annotations/training')))
val_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=test_pipeline, test_mode=True,
    data_prefix=dict(img_path='images/validation', seg_map_path='annotations/validation')))
test_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=test_pipeline, test_mode=True,
    data_prefix=dict(img_path='images/test', seg_map_path='annotations/test')))
val_evaluator = dict(iou_metrics=['mDice'])
test_evaluator = val_evaluator
