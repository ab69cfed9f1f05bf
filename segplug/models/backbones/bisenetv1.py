"""BiSeNet: a wide, shallow path for detail beside an ordinary encoder for context.

Yu et al., https://arxiv.org/abs/1808.00897. Module names are those of mmsegmentation 1.2.2,
under which published weights are stored. Unlike there, ``conv_cfg``, ``norm_cfg`` and
``act_cfg`` reach every layer; there the paths have plain BN whatever the config says.
"""

from collections.abc import Callable
from functools import partial

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS


class AttentionRefinement(BaseModule):
    """3x3 convolution, then a factor in (0, 1) for each channel from its global mean.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        conv: Makes a convolution with norm and activation, as ConvModule does.
    """

    def __init__(self, in_channels: int, out_channels: int,
                 conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.conv_layer = conv(in_channels, out_channels, 3, padding=1)
        self.atten_conv_layer = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(out_channels, out_channels, 1, bias=False, act_cfg=None), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, h, w) float -> (N, out_channels, h, w)."""
        x = self.conv_layer(x)
        return x * self.atten_conv_layer(x)


class _ContextPath(BaseModule):
    """The encoder's levels of stride 16 and 32, refined and brought down to stride 8 and 16."""

    def __init__(self, backbone_cfg: dict, channels: tuple[int, int, int],
                 conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone_cfg)
        width, mid, deep = channels
        self.arm16 = AttentionRefinement(mid, width, conv)
        self.arm32 = AttentionRefinement(deep, width, conv)
        self.conv_head32 = conv(width, width, 3, padding=1)
        self.conv_head16 = conv(width, width, 3, padding=1)
        self.gap_conv = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(deep, width, 1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, H, W) -> (N, width, H / 8, W / 8) and (N, width, H / 16, W / 16)."""
        _, x8, x16, x32 = self.backbone(x)
        context = self.arm32(x32) + self.gap_conv(x32)
        context16 = self.conv_head32(resize(context, size=x16.shape[2:]))
        context = self.arm16(x16) + context16
        return self.conv_head16(resize(context, size=x8.shape[2:])), context16


class _FeatureFusion(BaseModule):
    """Join, convolve, and add a copy that is weighed by channel."""

    def __init__(self, in_channels: int, out_channels: int,
                 conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, out_channels, 1)
        self.conv_atten = nn.Sequential(conv(out_channels, out_channels, 1, bias=False),
                                        nn.Sigmoid())

    def forward(self, detail: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        x = self.conv1(torch.cat([detail, context], dim=1))
        return x + x * self.conv_atten(x.mean((2, 3), keepdim=True))


@MODELS.register_module()
class BiSeNetV1(BaseModule):
    """BiSeNet, https://arxiv.org/abs/1808.00897.

    Args:
        backbone_cfg: The encoder of the context path; gives levels of stride 4, 8, 16 and 32.
        in_channels: Channels of the image.
        spatial_channels: Widths of the four convolutions of the spatial path.
        context_channels: Width of the context path, then the encoder's channels at stride 16
            and at stride 32.
        out_indices: Which of these to hand out: 0 both paths joined, 1 and 2 the context at
            stride 8 and 16, for auxiliary heads.
        align_corners: Without effect: the context path resizes to the nearest neighbour.
        out_channels: Channels of level 0.
        conv_cfg, norm_cfg, act_cfg, init_cfg: As everywhere in mmcv and mmengine.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride.

    Raises:
        ConfigError: For another number of widths, or levels that are not there.
    """

    def __init__(self, backbone_cfg: dict, in_channels: int = 3,
                 spatial_channels: tuple[int, ...] = (64, 64, 64, 128),
                 context_channels: tuple[int, ...] = (128, 256, 512),
                 out_indices: tuple[int, ...] = (0, 1, 2), align_corners: bool = False,
                 out_channels: int = 256, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN', requires_grad=True),
                 act_cfg: dict = dict(type='ReLU'), init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        for name, value, num in (('spatial_channels', spatial_channels, 4),
                                 ('context_channels', context_channels, 3)):
            if len(value) != num:
                raise ConfigError(f'BiSeNetV1 takes {num} {name}.', got=value, culprit=name)
        if any(not 0 <= i < 3 for i in out_indices):
            raise ConfigError('BiSeNetV1 has three levels.', got=tuple(out_indices),
                              expected='0 to 2', culprit='out_indices')
        conv = partial(ConvModule, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        width = context_channels[0]
        self.context_path = _ContextPath(backbone_cfg, context_channels, conv)
        self.spatial_path = _spatial_path(in_channels, spatial_channels, conv)
        self.ffm = _FeatureFusion(spatial_channels[-1] + width, out_channels, conv)
        self.out_indices = tuple(out_indices)
        self.out_channels = tuple((out_channels, width, width)[i] for i in self.out_indices)
        self.out_strides = tuple((8, 8, 16)[i] for i in self.out_indices)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], h, w)."""
        context8, context16 = self.context_path(x)
        levels = (self.ffm(self.spatial_path(x), context8), context8, context16)
        return tuple(levels[i] for i in self.out_indices)


def _spatial_path(in_channels: int, widths: tuple[int, ...],
                  conv: Callable[..., nn.Module]) -> nn.Sequential:
    """7x7, 3x3 and 3x3 convolutions of stride 2, then a 1x1: image -> stride 8."""
    path = nn.Sequential()
    for i, (width, size) in enumerate(zip(widths, (7, 3, 3, 1), strict=True)):
        path.add_module(f'layer{i + 1}', conv(in_channels, width, size, padding=size // 2,
                                              stride=1 if size == 1 else 2))
        in_channels = width
    return path
