"""Backbones: image -> feature maps, with ``out_channels`` and ``out_strides`` declared."""

from .bisenetv1 import BiSeNetV1
from .bisenetv2 import BiSeNetV2
from .cgnet import CGNet
from .ddrnet import DDRNet
from .erfnet import ERFNet
from .fast_scnn import FastSCNN
from .hrnet import HRNet
from .icnet import ICNet
from .mobilenet_v2 import MobileNetV2
from .mobilenet_v3 import MobileNetV3
from .pidnet import PIDNet
from .resnest import ResNeSt
from .resnet import ResNet, ResNetV1c, ResNetV1d
from .resnext import ResNeXt
from .stdc import STDCContextPathNet, STDCNet
from .unet import UNet

__all__ = [
    'BiSeNetV1', 'BiSeNetV2', 'CGNet', 'DDRNet', 'ERFNet', 'FastSCNN', 'HRNet', 'ICNet',
    'MobileNetV2', 'MobileNetV3', 'PIDNet', 'ResNeSt', 'ResNeXt', 'ResNet', 'ResNetV1c',
    'ResNetV1d', 'STDCContextPathNet', 'STDCNet', 'UNet',
]
