# Your own images and labels (docs/start/own-data.md). --data-root names the folder with images/,
# labels/ (a label has the name of its image), classes.csv, train.txt and val.txt (names of images).
# The heads' num_classes follows classes.csv. Trained by iteration, 4 images on each process.
_base_ = './by_iteration.py'

data_root = 'data/mine'
crop_size = (192, 192)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='Pad', size=crop_size),  # images smaller than a crop
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
own_data = dict(type='BaseSegDataset', data_root=data_root, metainfo=dict(classes='classes.csv'),
                img_suffix=('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp', '.webp',
                            '.JPG', '.JPEG', '.PNG', '.TIF', '.TIFF', '.BMP'),
                data_prefix=dict(img_path='images', seg_map_path='labels'))
train_dataloader = dict(
    dataset=dict(**own_data, ann_file='train.txt', pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(**own_data, ann_file='val.txt', pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
