"""The head of UPerNet: pyramid pooling on top of a feature pyramid, all levels joined.

Xiao et al., Unified Perceptual Parsing for Scene Understanding,
https://arxiv.org/abs/1807.10221; the part of it that parses one set of classes.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...ops.resize import resize
from ...registry import MODELS
from ..layers import PPM, JoinedConv, extends
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class UPerHead(BaseDecodeHead):
    """Levels, finest first, each enriched by the coarser ones, joined at the finest's size.

    Args:
        pool_scales: Of the pyramid pooling of the coarsest level, see `PPM`.
        Others as for `BaseDecodeHead`; ``in_channels`` and ``in_index`` are lists.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), **options) -> None:
        super().__init__(input_transform='multiple_select', **options)
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        *finer, coarsest = self.in_channels
        self.psp_modules = PPM(pool_scales, coarsest, self.channels,
                               align_corners=self.align_corners, **cfgs)
        self.bottleneck = JoinedConv(coarsest + len(pool_scales) * self.channels, self.channels,
                                     self.align_corners, **cfgs)
        self.lateral_convs = nn.ModuleList(
            ConvModule(width, self.channels, 1, inplace=False, **cfgs) for width in finer)
        self.fpn_convs = nn.ModuleList(
            ConvModule(self.channels, self.channels, 3, padding=1, inplace=False, **cfgs)
            for _ in finer)
        self.fpn_bottleneck = JoinedConv(len(self.in_channels) * self.channels, self.channels,
                                         self.align_corners, **cfgs)

    def psp_forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w) of the coarsest, which has seen the whole image."""
        x = inputs[-1]
        return self.bottleneck([x, *self.psp_modules.cells(x)])

    def _forward_feature(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w), what the classifier sees, at the finest level's size."""
        levels = self._transform_inputs(inputs)
        outs = [self.psp_forward(levels)]
        x = outs[0]
        for level, lateral, conv in reversed(
                list(zip(levels[:-1], self.lateral_convs, self.fpn_convs, strict=True))):
            side = lateral(level)
            x = side + resize(x, size=side.shape[2:], mode='bilinear',
                              align_corners=self.align_corners)
            outs.insert(0, conv(x))
        return self.fpn_bottleneck(outs)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the finest level."""
        return self.cls_seg(self._forward_feature(inputs))
