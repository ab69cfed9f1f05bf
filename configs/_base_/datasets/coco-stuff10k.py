# COCO-Stuff 10k, the 171 classes of coco-stuff164k.py; here they begin at label 1, 0 is none.
_base_ = './coco-stuff164k.py'

data_root = 'data/coco_stuff10k'
train_dataloader = dict(dataset=dict(
    data_root=data_root, reduce_zero_label=True,
    data_prefix=dict(img_path='images/train2014', seg_map_path='annotations/train2014')))
val_dataloader = dict(dataset=dict(
    data_root=data_root, reduce_zero_label=True,
    data_prefix=dict(img_path='images/test2014', seg_map_path='annotations/test2014')))
test_dataloader = val_dataloader
