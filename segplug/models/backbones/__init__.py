"""Backbones: image -> feature maps, with ``out_channels`` and ``out_strides`` declared."""

from .bisenetv1 import BiSeNetV1
from .bisenetv2 import BiSeNetV2
from .cgnet import CGNet
from .ddrnet import DDRNet
from .densenet import DenseNet
from .dpn import DPN
from .erfnet import ERFNet
from .fast_scnn import FastSCNN
from .hrnet import HRNet
from .icnet import ICNet
from .inception_resnet_v2 import InceptionResNetV2
from .mobilenet_v2 import MobileNetV2
from .mobilenet_v3 import MobileNetV3
from .oct_resnet import OctResNet
from .pidnet import PIDNet
from .resnest import ResNeSt
from .resnet import ResNet, ResNetV1c, ResNetV1d
from .resnext import ResNeXt
from .senet import SENet
from .stdc import STDCContextPathNet, STDCNet
from .timm_backbone import TIMMBackbone
from .unet import UNet
from .vgg import VGG

__all__ = [
    'DPN', 'VGG', 'BiSeNetV1', 'BiSeNetV2', 'CGNet', 'DDRNet', 'DenseNet', 'ERFNet', 'FastSCNN',
    'HRNet', 'ICNet', 'InceptionResNetV2', 'MobileNetV2', 'MobileNetV3', 'OctResNet', 'PIDNet',
    'ResNeSt', 'ResNeXt', 'ResNet', 'ResNetV1c', 'ResNetV1d', 'SENet', 'STDCContextPathNet',
    'STDCNet', 'TIMMBackbone', 'UNet',
]
