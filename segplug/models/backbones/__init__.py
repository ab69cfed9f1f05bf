"""Backbones: image -> feature maps, with ``out_channels`` and ``out_strides`` declared."""

from .resnet import ResNet, ResNetV1c, ResNetV1d

__all__ = ['ResNet', 'ResNetV1c', 'ResNetV1d']
