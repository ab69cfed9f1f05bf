"""Dual path networks 68 to 131, plain and dilated, under the names of timm and Cadene.

Chen et al., Dual Path Networks, https://arxiv.org/abs/1707.01629. The first channels of a map
are summed from block to block as in a ResNet, the rest is joined as in a DenseNet.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import Step
from ..layers.staged import StagedBackbone, known


class _Arch(NamedTuple):
    """Table 1 of the paper; ``middle``, ``summed``: channels of the first stage's 3x3 and sum."""

    blocks: tuple[int, ...]
    growths: tuple[int, ...]
    stem: int
    groups: int
    middle: int
    summed: int = 256
    stem_kernel: int = 7


_DEPTHS = {
    68: _Arch((3, 4, 12, 3), (16, 32, 32, 64), 10, 32, 128, summed=64, stem_kernel=3),
    92: _Arch((3, 4, 20, 3), (16, 32, 24, 128), 64, 32, 96),
    98: _Arch((3, 6, 20, 3), (16, 32, 32, 128), 96, 40, 160),
    107: _Arch((4, 8, 20, 3), (20, 64, 64, 128), 128, 50, 200),
    131: _Arch((4, 8, 28, 3), (16, 32, 32, 128), 128, 40, 160),
}


class _NormActConv(nn.Module):
    def __init__(self, in_channels: int, channels: int, kernel: int, norm_cfg: dict,
                 stride: int = 1, dilation: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.bn = build_norm_layer(norm_cfg, in_channels)[1]
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, channels, kernel, stride=stride,
                              padding=kernel // 2 * dilation, dilation=dilation, groups=groups,
                              bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.relu(self.bn(x)))


class DualPathBlock(nn.Module):
    """1x1, 3x3 in groups and 1x1, of which some channels are summed and the others joined.

    Args:
        in_channels: Channels in.
        summed: Channels that are summed.
        growth: Channels that are joined.
        middle, groups: Channels and groups of the 3x3.
        step: Stride and dilations.
        projects: A first block: what comes in is brought to ``summed + 2 growth`` channels.
    """

    def __init__(self, in_channels: int, summed: int, growth: int, middle: int, groups: int,
                 step: Step, projects: str | None, norm_cfg: dict, with_cp: bool) -> None:
        super().__init__()
        self.summed, self.projects, self.with_cp = summed, projects, with_cp
        if projects:
            self.add_module(projects, _NormActConv(in_channels, summed + 2 * growth, 1, norm_cfg,
                                                   stride=step.stride))
        self.c1x1_a = _NormActConv(in_channels, middle, 1, norm_cfg)
        self.c3x3_b = _NormActConv(middle, middle, 3, norm_cfg, step.stride, step.before, groups)
        self.c1x1_c = _NormActConv(middle, summed + growth, 1, norm_cfg)

    def _join(self, x: Tensor) -> Tensor:
        old = getattr(self, self.projects)(x) if self.projects else x
        new = self.c1x1_c(self.c3x3_b(self.c1x1_a(x)))
        summed = old[:, :self.summed] + new[:, :self.summed]
        return torch.cat([summed, old[:, self.summed:], new[:, self.summed:]], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C or summed + 2 growth, plus growth, ceil(H / stride), ...)."""
        return run_block(self, self._join, x)


@MODELS.register_module()
class DPN(StagedBackbone):
    """Dual path network, https://arxiv.org/abs/1707.01629.

    Levels are sums before norm and activation; the last has both, as published.
    The published weights take images of mean 124, 117, 104 and deviation 59.88 (RGB).

    Args:
        depth: 68, 92, 98, 107 or 131.
        Others as for `StagedBackbone`; norms have an epsilon of 0.001 unless it is set.
    """

    norm_options = dict(eps=0.001)

    @extends(StagedBackbone)
    def __init__(self, depth: int, **options) -> None:
        arch = known('DPN', _DEPTHS, 'depth', depth)
        super().__init__(**options)
        stem = OrderedDict(
            conv=nn.Conv2d(self.in_channels, arch.stem, arch.stem_kernel, stride=2,
                           padding=arch.stem_kernel // 2, bias=False),
            bn=self.norm(arch.stem), act=nn.ReLU(inplace=True))
        parts = OrderedDict(conv1_1=nn.Sequential(stem),
                            conv1_pool=nn.MaxPool2d(3, stride=2, padding=1))
        widths = [arch.stem]
        for i, step in enumerate(self.steps[1:]):
            blocks, width = self._stage(arch, i, widths[-1], step)
            parts |= {f'conv{i + 2}_{j + 1}': block for j, block in enumerate(blocks)}
            widths.append(width)
        parts['conv5_bn_ac'] = nn.Sequential(OrderedDict(
            bn=self.norm(width), act=nn.ReLU(inplace=True)))
        self.features = nn.Sequential(parts)
        self.declare(widths)

    def _stage(self, arch: _Arch, i: int, width: int, step: Step) -> tuple[list, int]:
        """The blocks of a stage, and their channels."""
        # The published names tell the strided projections from the other, dilated or not.
        projects, step = ('c1x1_w_s2', step) if i else ('c1x1_w_s1', Step(1, 1, 1))
        summed, growth, blocks = arch.summed * 2**i, arch.growths[i], []
        for j in range(arch.blocks[i]):
            blocks.append(DualPathBlock(
                width, summed, growth, arch.middle * 2**i, arch.groups,
                Step(1, step.after, step.after) if j else step, None if j else projects,
                self.norm_cfg, self.with_cp))
            width = width + growth if j else summed + 3 * growth
        return blocks, width

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`; the first begins with a pooling, the last ends with a norm."""
        stages = [[] for _ in self.steps]
        for name, part in self.features.named_children():
            pools = name == 'conv1_pool'
            stages[int(name[4]) - 1 + pools].append(part)
        return stages
