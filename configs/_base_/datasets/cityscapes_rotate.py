# Cityscapes as the recipe of unet_r101d_city trains it, by epoch: crops of 512x512 after scale and
# rotation, with blur, 2 images on each process. Normalisation and padding are the preprocessor's.
_base_ = './cityscapes_tree.py'

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
train_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=True), dataset=dict(pipeline=train_pipeline))
