"""Parts that backbones, necks and heads share."""

from .attention import SelfAttentionBlock, attend
from .backbone import Backbone, start_cfg
from .checkpointing import run_block
from .freezing import freeze, norms_to_eval
from .ppm import PPM
from .residual import BasicBlock, Bottleneck, ResLayer
from .signature import extends

__all__ = [
    'PPM', 'Backbone', 'BasicBlock', 'Bottleneck', 'ResLayer', 'SelfAttentionBlock', 'attend',
    'extends', 'freeze', 'norms_to_eval', 'run_block', 'start_cfg',
]
