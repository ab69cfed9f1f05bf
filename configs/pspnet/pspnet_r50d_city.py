# PSPNet with a dilated ResNet-50 on Cityscapes: 4 processes, 2 images each, 200 epochs.
#   bash tools/dist_train.sh configs/pspnet/pspnet_r50d_city.py 4
_base_ = [
    '../_base_/models/pspnet_r50d.py', '../_base_/datasets/cityscapes_rotate.py',
    '../_base_/schedules/schedule_200e_sgd.py', '../_base_/default_runtime.py',
]

# Tested as unet_r101d_city is: windows of the training size, a step of two thirds, softmax averaged
# over windows; the published "single-scale" figures include the mirror image.
model = dict(
    test_cfg=dict(mode='slide', crop_size=(512, 512), stride=(342, 342), window_average='probs',
                  base_size=2048, scales=[1.0], flip=True))
aug_test_cfg = dict(scales=[0.5, 0.75, 1.0, 1.25, 1.5, 1.75], flip=True)
