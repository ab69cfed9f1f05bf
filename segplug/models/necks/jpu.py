"""Joint pyramid upsampling: what a dilated encoder would give, from a plain one.

Wu et al., FastFCN: Rethinking Dilated Convolution in the Backbone for Semantic Segmentation,
https://arxiv.org/abs/1903.11816.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from torch import nn

from ...ops.resize import resize
from ...registry import MODELS
from .levels import check_levels, level_range


@MODELS.register_module()
class JPU(BaseModule):
    """Levels at one size, joined, seen by separable convolutions of several dilations.

    Args:
        in_channels: Channels of each level, finest first.
        mid_channels: Channels of each level and of each dilation.
        start_level, end_level: The first level and the one after the last; -1 is all.
        dilations: One for each separable convolution.
        align_corners: Of the resizing.
        conv_cfg: For the convolution of each level.
        norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.
    """

    def __init__(self, in_channels: Sequence[int] = (512, 1024, 2048), mid_channels: int = 512,
                 start_level: int = 0, end_level: int = -1,
                 dilations: Sequence[int] = (1, 2, 4, 8), align_corners: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict | None = dict(type='BN'),
                 act_cfg: dict | None = dict(type='ReLU'),
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        self.levels = level_range(len(in_channels), start_level, end_level)
        self.in_channels, self.mid_channels = in_channels, mid_channels
        self.dilations, self.align_corners = dilations, align_corners
        # Containers of one module each: published weights are stored under their index.
        self.conv_layers = nn.ModuleList(
            nn.Sequential(ConvModule(in_channels[i], mid_channels, 3, padding=1,
                                     conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg))
            for i in self.levels)
        self.dilation_layers = nn.ModuleList(
            nn.Sequential(DepthwiseSeparableConvModule(
                len(self.levels) * mid_channels, mid_channels, 3, padding=dilation,
                dilation=dilation, norm_cfg=norm_cfg, dw_act_cfg=None, pw_act_cfg=act_cfg))
            for dilation in dilations)

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Levels, each (N, C, h, w) -> the same but the last, for auxiliary heads, and the result.

        The result is (N, mid_channels * len(dilations), h, w), at the size of the first level
        that is used. The levels are those from ``start_level`` on.
        """
        check_levels(inputs, len(self.in_channels))
        used = [inputs[i] for i in self.levels]
        joined = torch.cat([
            resize(conv(x), size=used[0].shape[2:], mode='bilinear',
                   align_corners=self.align_corners)
            for conv, x in zip(self.conv_layers, used, strict=True)], dim=1)
        return *used[:-1], torch.cat([layer(joined) for layer in self.dilation_layers], dim=1)
