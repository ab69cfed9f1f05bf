"""Parts that backbones, necks and heads share."""

from .attention import SelfAttentionBlock, attend
from .ppm import PPM
from .residual import BasicBlock, Bottleneck, ResLayer
from .signature import extends

__all__ = [
    'PPM', 'BasicBlock', 'Bottleneck', 'ResLayer', 'SelfAttentionBlock', 'attend', 'extends',
]
