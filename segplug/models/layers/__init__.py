"""Parts that backbones, necks and heads share."""

from .ppm import PPM
from .residual import BasicBlock, Bottleneck, ResLayer
from .signature import extends

__all__ = ['PPM', 'BasicBlock', 'Bottleneck', 'ResLayer', 'extends']
