"""EMANet with a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './resnet50-d8.py'

model = dict(decode_head=dict(
    type='EMAHead', channels=256, ema_channels=512, num_bases=64, num_stages=3, momentum=0.1))
