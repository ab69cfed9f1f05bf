"""The pyramid pooling of PSPNet: a map seen at several coarse grids, brought back to its size.

Zhao et al., Pyramid Scene Parsing Network, https://arxiv.org/abs/1612.01105, section 3.2.
Heads and backbones share it. N batch, C channels, h w the size of the map.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...ops.resize import resize


class PPM(nn.ModuleList):
    """For each scale s: the mean over each of s x s cells, a 1x1 convolution, bilinear resizing.

    Args:
        pool_scales: Cells along each side.
        in_channels: C of the input.
        channels: Channels of each result.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        align_corners: Of the resizing.
    """

    def __init__(self, pool_scales: Sequence[int], in_channels: int, channels: int,
                 conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None,
                 align_corners: bool) -> None:
        super().__init__(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale),
                          ConvModule(in_channels, channels, 1, conv_cfg=conv_cfg,
                                     norm_cfg=norm_cfg, act_cfg=act_cfg))
            for scale in pool_scales)
        self.pool_scales = tuple(pool_scales)
        self.in_channels, self.channels = in_channels, channels
        self.align_corners = align_corners

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, h, w) -> one (N, channels, h, w) for each scale."""
        return [resize(cells, size=x.shape[2:], mode='bilinear',
                       align_corners=self.align_corners) for cells in self.cells(x)]

    def cells(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, h, w) -> (N, channels, s, s) for each scale s, not yet resized."""
        return [branch(x) for branch in self]
