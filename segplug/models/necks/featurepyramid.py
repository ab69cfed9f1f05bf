"""Levels of one size, as a vision transformer gives them, to levels of several sizes.

As BEiT does it for UPerNet: Bao et al., https://arxiv.org/abs/2106.08254, appendix.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from .levels import check_levels

_NAMES = {4: 'upsample_4x', 2: 'upsample_2x', 1: 'identity', 0.5: 'downsample_2x',
          0.25: 'downsample_4x'}


@MODELS.register_module()
class Feature2Pyramid(nn.Module):
    """Transposed convolutions make a level larger, max-pooling makes it smaller.

    Each level is rescaled by the factor at its place, in whatever order they stand.

    Args:
        embed_dim: Channels of every level, before and after.
        rescales: The factor of each level: 4, 2, 1, 0.5 or 0.25. Levels of one factor share it.
        norm_cfg: Between the two convolutions that give 4.

    Raises:
        ConfigError: For another factor.
    """

    def __init__(self, embed_dim: int, rescales: Sequence[float] = (4, 2, 1, 0.5),
                 norm_cfg: dict = dict(type='SyncBN', requires_grad=True)) -> None:
        super().__init__()
        if not set(rescales) <= set(_NAMES):
            raise ConfigError('Feature2Pyramid has no such factor.', got=list(rescales),
                              expected=f'some of {list(_NAMES)}', culprit='rescales')
        self.rescales = rescales
        for factor in dict.fromkeys(rescales):
            self.add_module(_NAMES[factor], _rescaler(factor, embed_dim, norm_cfg))

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Levels, each (N, C, h, w) -> each (N, C, h * factor, w * factor), rounded down."""
        check_levels(inputs, len(self.rescales))
        return tuple(getattr(self, _NAMES[factor])(x)
                     for factor, x in zip(self.rescales, inputs, strict=True))


def _rescaler(factor: float, channels: int, norm_cfg: dict) -> nn.Module:
    if factor == 1:
        return nn.Identity()
    if factor < 1:
        return nn.MaxPool2d(int(1 / factor), int(1 / factor))
    double = nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)
    if factor == 2:
        return nn.Sequential(double)
    return nn.Sequential(double, build_norm_layer(norm_cfg, channels)[1], nn.GELU(),
                         nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2))
