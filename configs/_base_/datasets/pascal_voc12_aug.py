# PASCAL VOC 2012 as pascal_voc12.py has it, trained on its train split and the further labels of
# Hariharan et al. (ICCV 2011, in SegmentationClassAug).
_base_ = './pascal_voc12.py'

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='Pad', size=_base_.crop_size),
    _base_.train_pipeline[-1],
]
dataset_train = dict(
    type=_base_.dataset_type, data_root=_base_.data_root, pipeline=train_pipeline,
    ann_file='ImageSets/Segmentation/train.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'))
dataset_aug = dict(
    type=_base_.dataset_type, data_root=_base_.data_root, pipeline=train_pipeline,
    ann_file='ImageSets/Segmentation/aug.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassAug'))
train_dataloader = dict(dataset=dict(
    _delete_=True, type='ConcatDataset', datasets=[dataset_train, dataset_aug]))
