"""Levels of one size, as a vision transformer gives them, to levels of several sizes.

Of the SETR and ViT models for UPerNet in mmsegmentation; no paper describes it.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from .levels import check_levels


@MODELS.register_module()
class MultiLevelNeck(BaseModule):
    """For each level a 1x1 convolution, bilinear resizing by its factor, a 3x3 convolution.

    Args:
        in_channels: Channels of each level; of one alone, which then becomes all outputs.
        out_channels: Channels of each output.
        scales: The factor of each output.
        norm_cfg, act_cfg: As everywhere in mmcv.

    Raises:
        ConfigError: If there are neither one nor as many levels as factors.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int,
                 scales: Sequence[float] = (0.5, 1, 2, 4), norm_cfg: dict | None = None,
                 act_cfg: dict | None = None) -> None:
        super().__init__(dict(type='Xavier', layer='Conv2d', distribution='uniform'))
        if len(in_channels) not in (1, len(scales)):
            raise ConfigError('MultiLevelNeck takes one level, or one for each factor.',
                              got=f'{len(in_channels)} in_channels and {len(scales)} scales',
                              culprit='in_channels')
        self.in_channels, self.out_channels = in_channels, out_channels
        self.scales, self.num_outs = scales, len(scales)
        cfgs = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.lateral_convs = nn.ModuleList(
            ConvModule(width, out_channels, 1, **cfgs) for width in in_channels)
        self.convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, 3, padding=1, **cfgs) for _ in scales)

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Levels, each (N, C, h, w) -> (N, out_channels, h * scale, w * scale) for each scale."""
        check_levels(inputs, len(self.in_channels))
        sides = [conv(x) for conv, x in zip(self.lateral_convs, inputs, strict=True)]
        if len(sides) == 1:
            sides *= self.num_outs
        return tuple(conv(resize(x, scale_factor=scale, mode='bilinear'))
                     for conv, x, scale in zip(self.convs, sides, self.scales, strict=True))
