# UNet with a dilated ResNet-101 on Cityscapes: 4 processes, 2 images each, 200 epochs.
#   bash tools/dist_train.sh configs/unet/unet_r101d_city.py 4
_base_ = [
    '../_base_/models/unet_r101d.py', '../_base_/datasets/cityscapes_rotate.py',
    '../_base_/schedules/schedule_200e_sgd.py', '../_base_/default_runtime.py',
]

# Windows of the training size, a step of two thirds, softmax averaged over windows. The published
# "single-scale" figures are those of scales=[1.0] with the mirror image.
model = dict(
    decode_head=dict(num_classes=19),
    test_cfg=dict(mode='slide', crop_size=(512, 512), stride=(342, 342), window_average='probs',
                  base_size=2048, scales=[1.0], flip=True))
aug_test_cfg = dict(scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True)
