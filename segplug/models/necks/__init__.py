"""Necks: feature maps -> feature maps, between backbone and heads."""

from .featurepyramid import Feature2Pyramid
from .fpn import FPN
from .ic_neck import ICNeck
from .jpu import JPU
from .multilevel_neck import MultiLevelNeck

__all__ = ['FPN', 'JPU', 'Feature2Pyramid', 'ICNeck', 'MultiLevelNeck']
