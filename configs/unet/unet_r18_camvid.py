# A small UNet on CamVid (11 classes) at half resolution, from random weights; trains on two cores.
#   bash tools/dist_train.sh configs/unet/unet_r18_camvid.py 2 --amp --data-root CAMVID
_base_ = [
    '../_base_/models/unet_r18.py', '../_base_/datasets/camvid.py',
    '../_base_/schedules/schedule_1k_onecycle.py', '../_base_/default_runtime.py',
]

# Poles, signs and cyclists are few pixels; each class weighs 1 / ln(1.1 + its share of the training
# pixels), the form of ENet (Paszke et al., 2016) with a gentler constant.
model = dict(decode_head=dict(num_classes=11, loss_decode=dict(class_weight=[
    4.11, 3.4, 9.56, 2.8, 7.3, 5.45, 9.4, 9.44, 6.7, 9.87, 10.2])))
aug_test_cfg = dict(scales=[0.75, 1.0, 1.25], flip=True)
train_cfg = dict(max_iters=3000)
