"""Octave ResNet 26 to 200, plain and dilated, under the names of d-li14/octconv.pytorch.

Chen et al., Drop an Octave, https://arxiv.org/abs/1904.05049. Half of the channels are kept at
half the size. Of the implementations without MXNet, that one has published weights (oct_resnet50).
Different: odd sizes are taken; the coarse half has ceil(H / 2) rows and grows back to H.
"""

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from ...ops.resize import resize
from ...registry import MODELS
from ..layers import extends, run_block
from ..layers.atrous import AtrousPool, Step
from ..layers.staged import StagedBackbone, known

_DEPTHS = {26: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3),
           200: (3, 24, 36, 3)}
_EXPANSION = 4
# The fine and the coarse half; the coarse one is None where all channels are fine.
Octaves = tuple[Tensor, Tensor | None]


class OctaveConv(nn.Module):
    """Four convolutions: each half to each half (section 3.2 of the paper).

    A stride is an average over 2x2 pixels before the convolutions (section 3.3).

    Args:
        in_channels, channels: Of both halves together.
        kernel: Size of the convolutions.
        halved_in, halved_out: Whether half of the channels are coarse, or none.
        step: Stride and dilations.
    """

    def __init__(self, in_channels: int, channels: int, kernel: int, halved_in: bool,
                 halved_out: bool, step: Step) -> None:
        super().__init__()
        coarse_in, coarse_out = in_channels // 2 * halved_in, channels // 2 * halved_out
        widths_in = dict(h=in_channels - coarse_in, l=coarse_in)
        widths_out = dict(h=channels - coarse_out, l=coarse_out)
        for source, cin in widths_in.items():
            for target, cout in widths_out.items():
                if cin and cout:
                    self.add_module(f'conv_{source}2{target}', nn.Conv2d(
                        cin, cout, kernel, padding=kernel // 2 * step.after,
                        dilation=step.after, bias=False))
        self.halved_out = halved_out
        self.halve = AtrousPool('avg', 2, 2)
        strides = step.stride > 1 or step.after > step.before
        self.pool = AtrousPool('avg', 2, step.stride, step.before) if strides else None

    def forward(self, octaves: Octaves) -> Octaves:
        """(N, C_h, H, W) and (N, C_l, ceil(H / 2), ceil(W / 2)) or None -> the same, strided."""
        fine, coarse = octaves
        if self.pool is not None:
            fine = self.pool(fine)
        high = self.conv_h2h(fine)
        low = self.conv_h2l(self.halve(fine)) if self.halved_out else None
        if coarse is not None:
            high = high + resize(self.conv_l2h(coarse), size=high.shape[2:])
            if low is not None:
                low = low + self.conv_l2l(coarse if self.pool is None else self.pool(coarse))
        return high, low


class _OctaveConvNorm(nn.Module):
    def __init__(self, in_channels: int, channels: int, kernel: int, halved_in: bool,
                 halved_out: bool, step: Step, norm_cfg: dict, acts: bool = False) -> None:
        super().__init__()
        self.conv = OctaveConv(in_channels, channels, kernel, halved_in, halved_out, step)
        coarse = channels // 2 * halved_out
        self.bn_h = build_norm_layer(norm_cfg, channels - coarse)[1]
        self.bn_l = build_norm_layer(norm_cfg, coarse)[1] if coarse else None
        self.act = nn.ReLU(inplace=True) if acts else nn.Identity()

    def forward(self, octaves: Octaves) -> Octaves:
        high, low = self.conv(octaves)
        return self.act(self.bn_h(high)), None if low is None else self.act(self.bn_l(low))


class OctaveBottleneck(nn.Module):
    """A bottleneck of octave convolutions.

    Args:
        in_channels: Channels in.
        planes: Channels out over 4.
        step: Stride and dilations.
        halved_in: Whether half of the channels that come in are coarse.
        halved: Whether half of those inside and of those that come out are.
        projects: Whether the shortcut has a convolution of its own.
    """

    def __init__(self, in_channels: int, planes: int, step: Step, halved_in: bool, halved: bool,
                 projects: bool, norm_cfg: dict, with_cp: bool) -> None:
        super().__init__()
        self.with_cp = with_cp
        plain, out = Step(1, 1, 1), planes * _EXPANSION
        self.conv1 = _OctaveConvNorm(in_channels, planes, 1, halved_in, halved, plain, norm_cfg,
                                     acts=True)
        self.conv2 = _OctaveConvNorm(planes, planes, 3, halved, halved, step, norm_cfg, acts=True)
        self.conv3 = _OctaveConvNorm(planes, out, 1, halved, halved, plain, norm_cfg)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(_OctaveConvNorm(
            in_channels, out, 1, halved_in, halved, step, norm_cfg)) if projects else None

    def _sum(self, octaves: Octaves) -> Octaves:
        new = self.conv3(self.conv2(self.conv1(octaves)))
        old = octaves if self.downsample is None else self.downsample(octaves)
        return tuple(None if a is None else self.relu(a + b)
                     for a, b in zip(new, old, strict=True))

    def forward(self, octaves: Octaves) -> Octaves:
        """See `OctaveConv`."""
        return run_block(self, self._sum, octaves)


class _AllFine(nn.Module):
    """A map as octaves without a coarse half."""

    def forward(self, x: Tensor) -> Octaves:
        return x, None


@MODELS.register_module()
class OctResNet(StagedBackbone):
    """ResNet of octave convolutions with alpha = 1/2, https://arxiv.org/abs/1904.05049.

    A level joins the fine half with the coarse one, which grows to its size by nearest
    neighbour. The last stage has no coarse half. At output stride 8 the third stage dilates with
    both; what goes from half to half there is near what it is in the plain network, not equal.

    Args:
        depth: 26, 50, 101, 152 or 200.
        base_channels: Width of stem and first stage before the block's expansion.
        Others as for `StagedBackbone`.
    """

    @extends(StagedBackbone)
    def __init__(self, depth: int, base_channels: int = 64, **options) -> None:
        num_blocks = known('OctResNet', _DEPTHS, 'depth', depth)
        super().__init__(**options)
        self.conv1 = nn.Conv2d(self.in_channels, base_channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = self.norm(base_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.split = _AllFine()
        widths = [base_channels]
        for i, (count, step) in enumerate(zip(num_blocks, self.steps[1:], strict=True)):
            step = step if i else Step(1, 1, 1)  # the pooling strides
            planes, halved = base_channels * 2**i, i < 3
            self.add_module(f'layer{i + 1}', nn.Sequential(*(
                OctaveBottleneck(planes * _EXPANSION if j else widths[-1], planes,
                                 Step(1, step.after, step.after) if j else step,
                                 halved if j else i > 0, halved, not j, self.norm_cfg,
                                 self.with_cp)
                for j in range(count))))
            widths.append(planes * _EXPANSION)
        self.declare(widths)

    def stages(self) -> list[list[nn.Module]]:
        """Those of `StagedBackbone`."""
        return [[self.conv1, self.bn1, self.relu], [self.maxpool, self.split, self.layer1],
                [self.layer2], [self.layer3], [self.layer4]]

    def as_level(self, x: Tensor | Octaves) -> Tensor:
        """Both halves, at the size of the fine one."""
        if isinstance(x, Tensor):
            return x
        fine, coarse = x
        if coarse is None:
            return fine
        return torch.cat([fine, resize(coarse, size=fine.shape[2:])], dim=1)
