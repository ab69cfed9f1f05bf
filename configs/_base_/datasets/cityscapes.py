# Cityscapes as the recipe of unet_r101d_city trains it: crops of 512x512 after scale and
# rotation, 2 images on each process. Normalisation and padding are the preprocessor's.
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes/'
crop_size = (512, 512)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    # What comes from outside is the ImageNet mean (BGR, as the image is read) and no class.
    dict(type='RandomRotate', prob=1.0, degree=10, pad_val=(103.53, 116.28, 123.675),
         seg_pad_val=255),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='GaussianBlur', prob=0.5, sigma=(0.1, 1.0)),
    dict(type='PackSegInputs'),
]
# The test scales and mirrors in the model, so the label is read once, as it is.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type, data_root=data_root, pipeline=train_pipeline,
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    # Without rounding up no image is tested twice.
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, pipeline=test_pipeline, test_mode=True,
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val')))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
