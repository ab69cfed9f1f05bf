"""BiSeNet V2: a detail branch and a semantic branch of its own make, each guiding the other.

Yu et al., https://arxiv.org/abs/2004.02147; the numbers of equations and tables are this
paper's. Module names are those of mmsegmentation 1.2.2, under which published weights are
stored. Unlike there, ``conv_cfg``, ``norm_cfg`` and ``act_cfg`` reach every layer.
"""

from collections.abc import Callable
from functools import partial

import torch
from mmcv.cnn import (
    ConvModule,
    DepthwiseSeparableConvModule,
    build_activation_layer,
    build_norm_layer,
)
from mmengine.model import BaseModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import start_cfg


class _Detail(BaseModule):
    """Stages of 3x3 convolutions, two in the first and three in the others; each halves."""

    def __init__(self, in_channels: int, channels: tuple[int, ...],
                 conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.detail_branch = nn.ModuleList()
        for i, width in enumerate(channels):
            self.detail_branch.append(nn.Sequential(
                conv(in_channels, width, 3, stride=2, padding=1),
                *(conv(width, width, 3, padding=1) for _ in range(2 if i else 1))))
            in_channels = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for stage in self.detail_branch:
            x = stage(x)
        return x


class _Stem(BaseModule):
    """Image -> stride 4, by convolution and by pooling (figure 4a)."""

    def __init__(self, in_channels: int, channels: int, conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.conv_first = conv(in_channels, channels, 3, stride=2, padding=1)
        self.convs = nn.Sequential(conv(channels, channels // 2, 1),
                                   conv(channels // 2, channels, 3, stride=2, padding=1))
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.fuse_last = conv(2 * channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv_first(x)
        return self.fuse_last(torch.cat([self.convs(x), self.pool(x)], dim=1))


class _GatherExpand(BaseModule):
    """3x3, depthwise 3x3 that expands, 1x1 that projects, and the shortcut (figure 5b, c).

    The depthwise layers end in an activation, which the paper does not have.
    """

    def __init__(self, in_channels: int, channels: int, ratio: int, stride: int,
                 conv: Callable[..., nn.Module], norm_cfg: dict, act_cfg: dict) -> None:
        super().__init__()
        wide = in_channels * ratio
        expand = partial(conv, in_channels, wide, 3, padding=1, groups=in_channels)
        self.conv1 = conv(in_channels, in_channels, 3, padding=1)
        if stride == 1:
            self.dwconv, self.shortcut = nn.Sequential(expand()), None
        else:
            self.dwconv = nn.Sequential(expand(stride=stride, bias=False, act_cfg=None),
                                        conv(wide, wide, 3, padding=1, groups=wide))
            self.shortcut = nn.Sequential(DepthwiseSeparableConvModule(
                in_channels, channels, 3, stride=stride, padding=1, norm_cfg=norm_cfg,
                act_cfg=None))
        self.conv2 = nn.Sequential(conv(wide, channels, 1, bias=False, act_cfg=None))
        self.act = build_activation_layer(act_cfg)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv2(self.dwconv(self.conv1(x)))
        return self.act(out + (x if self.shortcut is None else self.shortcut(x)))


class _ContextEmbedding(BaseModule):
    """Adds the convolved global mean (figure 4b). Both convolutions have norm and activation."""

    def __init__(self, channels: int, conv: Callable[..., nn.Module], norm_cfg: dict) -> None:
        super().__init__()
        self.gap = nn.Sequential(nn.AdaptiveAvgPool2d(1), build_norm_layer(norm_cfg, channels)[1])
        self.conv_gap = conv(channels, channels, 1)
        self.conv_last = conv(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv_last(x + self.conv_gap(self.gap(x)))


class _Aggregation(BaseModule):
    """Bilateral guided aggregation (figure 6): each branch is weighed by the other."""

    def __init__(self, channels: int, align_corners: bool, conv: Callable[..., nn.Module],
                 norm_cfg: dict) -> None:
        super().__init__()
        self.align_corners = align_corners
        plain = partial(conv, channels, channels, 3, padding=1, bias=False, act_cfg=None)
        apart = partial(DepthwiseSeparableConvModule, channels, channels, 3, padding=1,
                        dw_norm_cfg=norm_cfg, pw_norm_cfg=None, act_cfg=None)
        self.detail_dwconv = nn.Sequential(apart())
        self.detail_down = nn.Sequential(plain(stride=2), nn.AvgPool2d(3, stride=2, padding=1))
        self.semantic_conv = nn.Sequential(plain())
        self.semantic_dwconv = nn.Sequential(apart())
        self.conv = conv(channels, channels, 3, padding=1)

    def forward(self, detail: torch.Tensor, semantic: torch.Tensor) -> torch.Tensor:
        """(N, C, H / 8, W / 8) and (N, C, H / 32, W / 32) -> (N, C, H / 8, W / 8)."""
        size = detail.shape[2:]
        fine = self.detail_dwconv(detail) * self._up(self.semantic_conv(semantic), size).sigmoid()
        coarse = self.detail_down(detail) * self.semantic_dwconv(semantic).sigmoid()
        return self.conv(fine + self._up(coarse, size))

    def _up(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return resize(x, size=size, mode='bilinear', align_corners=self.align_corners)


@MODELS.register_module()
class BiSeNetV2(BaseModule):
    """BiSeNet V2, https://arxiv.org/abs/2004.02147.

    Args:
        in_channels: Channels of the image.
        detail_channels: Widths of the three stages of the detail branch.
        semantic_channels: Widths of the four stages of the semantic branch.
        semantic_expansion_ratio: How much wider a gather-and-expansion layer is inside.
        bga_channels: Channels of level 0; both branches end in as many.
        out_indices: Which of these to hand out: 0 both branches joined, 1 to 4 the stages of
            the semantic branch, for auxiliary heads.
        align_corners: For the resizes where both branches join.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        init_cfg: mmengine's initialisation; default Kaiming.

    Attributes:
        out_channels: Channels of each level that is handed out.
        out_strides: Its stride.

    Raises:
        ConfigError: For widths that do not fit, or levels that are not there.
    """

    def __init__(self, in_channels: int = 3, detail_channels: tuple[int, ...] = (64, 64, 128),
                 semantic_channels: tuple[int, ...] = (16, 32, 64, 128),
                 semantic_expansion_ratio: int = 6, bga_channels: int = 128,
                 out_indices: tuple[int, ...] = (0, 1, 2, 3, 4), align_corners: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'), init_cfg: dict | list | None = None) -> None:
        super().__init__(start_cfg(None, init_cfg))
        _check(detail_channels, semantic_channels, bga_channels, out_indices)
        conv = partial(ConvModule, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.detail = _Detail(in_channels, detail_channels, conv)
        self.semantic = _semantic(in_channels, semantic_channels, semantic_expansion_ratio, conv,
                                  norm_cfg, act_cfg)
        self.bga = _Aggregation(bga_channels, align_corners, conv, norm_cfg)
        self.out_indices = tuple(out_indices)
        channels = (bga_channels, *semantic_channels)
        self.out_channels = tuple(channels[i] for i in self.out_indices)
        self.out_strides = tuple((8, 4, 8, 16, 32)[i] for i in self.out_indices)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, C, H, W) float, normalised -> levels, each (N, out_channels[i], h, w)."""
        stages, semantic = [], x
        for stage in self.semantic:
            semantic = stage(semantic)
            stages.append(semantic)
        levels = [self.bga(self.detail(x), semantic), *stages[:-1]]
        return tuple(levels[i] for i in self.out_indices)


def _semantic(in_channels: int, channels: tuple[int, ...], ratio: int,
              conv: Callable[..., nn.Module], norm_cfg: dict, act_cfg: dict) -> nn.Sequential:
    """Stem, three stages of 2, 2 and 4 layers, context embedding (table 1)."""
    layer = partial(_GatherExpand, ratio=ratio, conv=conv, norm_cfg=norm_cfg, act_cfg=act_cfg)
    branch = nn.Sequential()
    branch.add_module('stage1', _Stem(in_channels, channels[0], conv))
    for i, num_layers in ((1, 2), (2, 2), (3, 4)):
        branch.add_module(f'stage{i + 1}', nn.Sequential(
            layer(channels[i - 1], channels[i], stride=2),
            *(layer(channels[i], channels[i], stride=1) for _ in range(num_layers - 1))))
    branch.add_module('stage4_CEBlock', _ContextEmbedding(channels[-1], conv, norm_cfg))
    return branch


def _check(detail, semantic, bga, out_indices) -> None:
    """Refuse constructor arguments that do not fit each other."""
    if len(detail) != 3 or len(semantic) != 4 or not detail[-1] == semantic[-1] == bga:
        raise ConfigError('The branches of a BiSeNetV2 end in bga_channels.',
                          got=f'detail_channels={tuple(detail)}, '
                              f'semantic_channels={tuple(semantic)}, bga_channels={bga}',
                          expected='3 and 4 widths, the last of both equal to bga_channels',
                          culprit='bga_channels')
    if any(not 0 <= i < 5 for i in out_indices):
        raise ConfigError('BiSeNetV2 has five levels.', got=tuple(out_indices),
                          expected='0 to 4', culprit='out_indices')
