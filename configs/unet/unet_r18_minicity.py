# A small UNet on mini Cityscapes: what tools/quickstart.sh trains, minutes on two cores.
#   segplug make-minicity data/minicity
#   bash tools/dist_train.sh configs/unet/unet_r18_minicity.py 2
_base_ = [
    '../_base_/models/unet_r18.py', '../_base_/datasets/minicity.py',
    '../_base_/schedules/schedule_1k_onecycle.py', '../_base_/default_runtime.py',
]

# Each class weighs 1 / sqrt(its share of the training pixels), scaled to a mean of 1 over pixels.
model = dict(decode_head=dict(num_classes=19, loss_decode=dict(class_weight=[
    0.52, 1.24, 0.61, 1.7, 1.82, 2.69, 2.51, 2.28, 0.93, 1.28, 0.83, 1.47, 2.38, 1.05, 1.74, 1.64,
    1.27, 1.76, 1.92])))
# The images are an eighth of Cityscapes' size and training shows one scale: stay near it.
aug_test_cfg = dict(scales=[0.9, 1.0, 1.1, 1.2], flip=True)
