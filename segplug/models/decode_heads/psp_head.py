"""The head of PSPNet: what is at a pixel, next to what is around it at four scales.

Zhao et al., Pyramid Scene Parsing Network, https://arxiv.org/abs/1612.01105.
"""

from collections.abc import Sequence

import torch

from ...registry import MODELS
from ..layers import PPM, JoinedConv, check_several, extends
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class PSPHead(BaseDecodeHead):
    """The input and its pyramid of means, joined by a 3x3 convolution.

    Args:
        pool_scales: Cells along each side, one entry per level of the pyramid.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), **options) -> None:
        check_several('PSPHead', pool_scales=pool_scales)
        super().__init__(**options)
        self.pool_scales = pool_scales
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.psp_modules = PPM(pool_scales, self.in_channels, self.channels,
                               align_corners=self.align_corners, **cfgs)
        self.bottleneck = JoinedConv(self.in_channels + len(pool_scales) * self.channels,
                                     self.channels, self.align_corners, **cfgs)

    def _forward_feature(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w), what the classifier sees."""
        x = self._transform_inputs(inputs)
        return self.bottleneck([x, *self.psp_modules.cells(x)])

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the input level."""
        return self.cls_seg(self._forward_feature(inputs))
