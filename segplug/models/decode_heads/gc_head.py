"""Global context networks: one context of the whole map, added to every pixel.

Cao et al., https://arxiv.org/abs/1904.11492.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ContextBlock

from ...registry import MODELS
from ..layers import extends
from .fcn_head import FCNHead


@MODELS.register_module()
class GCHead(FCNHead):
    """An `FCNHead` of two convolutions with a global context block between them.

    Args:
        ratio: Channels of the block's bottleneck over those of the head.
        pooling_type: The context is a mean over pixels: 'att' weighted by attention, 'avg' plain.
        fusion_types: 'channel_add' adds the context, 'channel_mul' multiplies by its sigmoid;
            one or both.
        Others as for `FCNHead`.
    """

    @extends(FCNHead, without=('num_convs',))
    def __init__(self, ratio: float = 1 / 4, pooling_type: str = 'att',
                 fusion_types: Sequence[str] = ('channel_add',), **options) -> None:
        super().__init__(num_convs=2, **options)
        self.ratio, self.pooling_type, self.fusion_types = ratio, pooling_type, fusion_types
        self.gc_block = ContextBlock(self.channels, ratio=ratio, pooling_type=pooling_type,
                                     fusion_types=fusion_types)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        return self.convs[1](self.gc_block(self.convs[0](x)))
