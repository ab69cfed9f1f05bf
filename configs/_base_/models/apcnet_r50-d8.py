"""APCNet with a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './resnet50-d8.py'

model = dict(decode_head=dict(type='APCHead', pool_scales=(1, 2, 3, 6)))
