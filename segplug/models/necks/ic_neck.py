"""The cascade feature fusion of ICNet: from the smallest level to the largest.

Zhao et al., https://arxiv.org/abs/1704.08545, figure 3.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from .levels import check_levels


class _CascadeFusion(BaseModule):
    """A small map, upsampled and convolved with dilation 2, plus a large one through a 1x1."""

    def __init__(self, low_channels: int, high_channels: int, out_channels: int,
                 align_corners: bool, cfgs: dict) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.conv_low = ConvModule(low_channels, out_channels, 3, padding=2, dilation=2, **cfgs)
        self.conv_high = ConvModule(high_channels, out_channels, 1, **cfgs)

    def forward(self, low: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, h', w') and (N, C', h, w) -> the sum and, for auxiliary heads, ``low`` alone."""
        low = self.conv_low(resize(low, size=high.shape[2:], mode='bilinear',
                                   align_corners=self.align_corners))
        return (low + self.conv_high(high)).relu(), low


@MODELS.register_module()
class ICNeck(BaseModule):
    """Two fusions in a row. The paper classifies the auxiliary map before it is convolved.

    Args:
        in_channels: Channels of the three levels, largest map first.
        out_channels: Channels of all that comes out.
        conv_cfg, norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.
        align_corners: For the upsampling.

    Raises:
        ConfigError: For another number of levels.
    """

    def __init__(self, in_channels: Sequence[int] = (64, 256, 256), out_channels: int = 128,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'), align_corners: bool = False,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != 3:
            raise ConfigError('ICNeck fuses three levels.', got=tuple(in_channels),
                              culprit='in_channels')
        self.in_channels, self.out_channels = in_channels, out_channels
        cfgs = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.cff_24 = _CascadeFusion(in_channels[2], in_channels[1], out_channels, align_corners,
                                     cfgs)
        self.cff_12 = _CascadeFusion(out_channels, in_channels[0], out_channels, align_corners,
                                     cfgs)

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Three levels, largest first -> two maps for auxiliary heads, then the result.

        The first has the size of the second level, the others that of the first.

        Raises:
            ShapeError: For another number of levels.
        """
        check_levels(inputs, 3)
        full, half, quarter = inputs
        fused, aux24 = self.cff_24(quarter, half)
        fused, aux12 = self.cff_12(fused, full)
        return aux24, aux12, fused
