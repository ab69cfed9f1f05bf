# BDD100K with the 19 classes of Cityscapes, its 10k images: crops of 512x1024 after scale, 2
# images on each process.
_base_ = './by_iteration.py'

dataset_type = 'BDD100KDataset'
data_root = 'data/bdd100k/'
img_scale = (2048, 1024)
crop_size = (512, 1024)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=img_scale, ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# Scores are taken at the size of the label, which is read as it is.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=img_scale, keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(batch_size=2, dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=train_pipeline,
    data_prefix=dict(img_path='images/10k/train', seg_map_path='labels/sem_seg/masks/train')))
val_dataloader = dict(dataset=dict(
    type=dataset_type, data_root=data_root, pipeline=test_pipeline, test_mode=True,
    data_prefix=dict(img_path='images/10k/val', seg_map_path='labels/sem_seg/masks/val')))
test_dataloader = val_dataloader
