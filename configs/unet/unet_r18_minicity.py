# A small UNet on mini Cityscapes: what tools/quickstart.sh trains, a few minutes on two cores.
#   segplug make-minicity data/minicity && bash tools/dist_train.sh configs/unet/unet_r18_minicity.py 2
_base_ = [
    '../_base_/models/unet_r18.py', '../_base_/datasets/minicity.py',
    '../_base_/schedules/schedule_600i_adamw.py', '../_base_/default_runtime.py',
]

model = dict(decode_head=dict(num_classes=19))
aug_test_cfg = dict(scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True)
