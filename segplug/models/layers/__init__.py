"""Parts that backbones, necks and heads share."""

from .residual import BasicBlock, Bottleneck, ResLayer
from .signature import extends

__all__ = ['BasicBlock', 'Bottleneck', 'ResLayer', 'extends']
