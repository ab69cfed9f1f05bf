"""``mmseg.models.backbones.bisenetv1``: the paths of BiSeNetV1 and what joins them."""

import torch
from mmengine.model import BaseModule
from torch import nn

from ....errors import ConfigError
from ....models.backbones import bisenetv1 as ours
from ..stands_for import StandsFor
from . import BN, RELU, conv, only


def _check_widths(owner: str, name: str, widths: tuple[int, ...], number: int) -> None:
    if len(widths) != number:
        raise ConfigError(f'{owner} takes {number} {name}.', got=tuple(widths), culprit=name)


class SpatialPath(BaseModule):
    """Four convolutions from an image to an eighth of its size.

    Args:
        in_channels: Channels of the image.
        num_channels: Their widths.
        conv_cfg, norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.

    Raises:
        ConfigError: For another number of widths.
    """

    def __init__(self, in_channels: int = 3, num_channels: tuple[int, ...] = (64, 64, 64, 128),
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        _check_widths('SpatialPath', 'num_channels', num_channels, 4)
        path = ours._spatial_path(in_channels, num_channels, conv(conv_cfg, norm_cfg, act_cfg))
        self.layers = []
        for name, layer in path.named_children():
            self.layers.append(name)
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, num_channels[-1], H / 8, W / 8)."""
        for name in self.layers:
            x = getattr(self, name)(x)
        return x


class AttentionRefinementModule(ours.AttentionRefinement, metaclass=StandsFor):
    """Ours, with the settings of its convolutions in place of what makes them."""

    def __init__(self, in_channels: int, out_channel: int, conv_cfg: dict | None = None,
                 norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channel, conv(conv_cfg, norm_cfg, act_cfg))
        self.init_cfg = init_cfg


class ContextPath(ours._ContextPath, metaclass=StandsFor):
    """Ours, likewise; it resizes without ``align_corners``.

    Raises:
        ConfigError: For other than three widths, or with ``align_corners``.
    """

    def __init__(self, backbone_cfg: dict, context_channels: tuple[int, ...] = (128, 256, 512),
                 align_corners: bool = False, conv_cfg: dict | None = None, norm_cfg: dict = BN,
                 act_cfg: dict = RELU, init_cfg: dict | list | None = None) -> None:
        _check_widths('ContextPath', 'context_channels', context_channels, 3)
        only('ContextPath', align_corners=(align_corners, False))
        super().__init__(backbone_cfg, context_channels, conv(conv_cfg, norm_cfg, act_cfg))
        self.init_cfg = init_cfg


class FeatureFusionModule(ours._FeatureFusion, metaclass=StandsFor):
    """Ours, likewise; ``gap`` is what its means are, written as a layer."""

    def __init__(self, in_channels: int, out_channels: int, conv_cfg: dict | None = None,
                 norm_cfg: dict = BN, act_cfg: dict = RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(in_channels, out_channels, conv(conv_cfg, norm_cfg, act_cfg))
        self.init_cfg = init_cfg
        self.gap = nn.AdaptiveAvgPool2d((1, 1))
