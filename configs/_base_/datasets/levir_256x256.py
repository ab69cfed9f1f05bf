# LEVIR-CD in patches of 256x256: what changed between two images, which are joined to 6 channels.
# Joined first, both are mirrored with the label; mmsegmentation mirrors the first image alone, and
# changes its brightness. 4 pairs on each process.
_base_ = './by_iteration.py'

dataset_type = 'LEVIRCDDataset'
data_root = 'data/LEVIRCD'
train_pipeline = [
    dict(type='LoadMultipleRSImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='ConcatCDInput'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadMultipleRSImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='ConcatCDInput'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=train_pipeline,
    data_prefix=dict(img_path='train/A', img_path2='train/B', seg_map_path='train/label')))
val_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=test_pipeline, test_mode=True,
    data_prefix=dict(img_path='test/A', img_path2='test/B', seg_map_path='test/label')))
test_dataloader = val_dataloader
