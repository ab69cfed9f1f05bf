# A small UNet on CamVid (11 classes) at half resolution, from random weights; trains on two cores.
#   bash tools/dist_train.sh configs/unet/unet_r18_camvid.py 2 --data-root CAMVID
_base_ = [
    '../_base_/models/unet_r18.py', '../_base_/datasets/camvid.py',
    '../_base_/schedules/schedule_2k_onecycle.py', '../_base_/default_runtime.py',
]

model = dict(decode_head=dict(num_classes=11))
aug_test_cfg = dict(scales=[0.75, 1.0, 1.25], flip=True)
