"""Residual blocks and the stage that stacks them, shared by the ResNet family.

He et al., Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385.
Module names (conv1, bn1, downsample.0 ...) are those of torchvision and open-mmlab, because
published weights are stored under them.
"""

import torch
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule, Sequential
from torch import nn

from .checkpointing import run_block


class NumberedNorms:
    """For a module: norms under mmcv's names, 'bn1' or 'gn1', and as ``norm1`` and ``norm2``."""

    def _add_norm(self, norm_cfg: dict, channels: int, index: int) -> None:
        name, norm = build_norm_layer(norm_cfg, channels, postfix=index)
        self.add_module(name, norm)
        setattr(self, f'norm{index}_name', name)

    @property
    def norm1(self) -> nn.Module:
        return getattr(self, self.norm1_name)

    @property
    def norm2(self) -> nn.Module:
        return getattr(self, self.norm2_name)


class _Block(NumberedNorms, BaseModule):
    """What both blocks share: named norms, the shortcut, gradient checkpointing.

    A subclass sets ``relu`` and ``downsample`` and writes `_residual`.

    Args:
        with_cp: Recompute the block in the backward pass instead of keeping its insides.

    Attributes:
        expansion: Channels out over ``planes``.
        identity_cfg: The ``init_cfg`` with which a block starts as its shortcut.
    """

    expansion: int
    identity_cfg: dict

    def __init__(self, with_cp: bool, init_cfg=None) -> None:
        super().__init__(init_cfg)
        self.with_cp = with_cp

    def _residual(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _sum(self, x: torch.Tensor) -> torch.Tensor:
        out = self._residual(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, planes * expansion, ceil(H / stride), ceil(W / stride))."""
        return self.relu(run_block(self, self._sum, x))


class BasicBlock(_Block):
    """Two 3x3 convolutions; only the first is dilated, as in the published models.

    Args:
        inplanes: Channels in.
        planes: Channels out.
        stride: Of the first convolution.
        dilation: Of the first convolution.
        downsample: Brings the input to the size and width of the output, where they differ.
        with_cp: See `_Block`.
        style: Without effect here; both blocks are built by the same call.
        conv_cfg, norm_cfg, init_cfg: As everywhere in mmcv and mmengine.
    """

    expansion = 1
    identity_cfg = dict(type='Constant', val=0, override=dict(name='norm2'))

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), init_cfg=None) -> None:
        super().__init__(with_cp, init_cfg)
        self.conv1 = build_conv_layer(conv_cfg, inplanes, planes, 3, stride=stride,
                                      padding=dilation, dilation=dilation, bias=False)
        self._add_norm(norm_cfg, planes, 1)
        self.conv2 = build_conv_layer(conv_cfg, planes, planes, 3, padding=1, bias=False)
        self._add_norm(norm_cfg, planes, 2)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def _residual(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        return self.norm2(self.conv2(out))


class Bottleneck(_Block):
    """1x1, 3x3 and 1x1 convolutions; the 3x3 is dilated.

    Args:
        style: 'pytorch' strides in the 3x3, 'caffe' in the first 1x1.
        groups, base_width, base_channels: With several groups, those of the 3x3, and each has
            ``base_width * planes // base_channels`` channels (ResNeXt).
        Others as for `BasicBlock`; the block gives ``4 * planes`` channels.
    """

    expansion = 4
    identity_cfg = dict(type='Constant', val=0, override=dict(name='norm3'))

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), init_cfg=None, groups: int = 1,
                 base_width: int = 4, base_channels: int = 64) -> None:
        super().__init__(with_cp, init_cfg)
        first, second = (1, stride) if style == 'pytorch' else (stride, 1)
        width = planes if groups == 1 else planes * base_width // base_channels * groups
        self.conv1 = build_conv_layer(conv_cfg, inplanes, width, 1, stride=first, bias=False)
        self._add_norm(norm_cfg, width, 1)
        self.conv2 = build_conv_layer(conv_cfg, width, width, 3, stride=second,
                                      padding=dilation, dilation=dilation, groups=groups,
                                      bias=False)
        self._add_norm(norm_cfg, width, 2)
        self.conv3 = build_conv_layer(conv_cfg, width, planes * self.expansion, 1, bias=False)
        self._add_norm(norm_cfg, planes * self.expansion, 3)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    @property
    def norm3(self) -> nn.Module:
        return getattr(self, self.norm3_name)

    def _residual(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.relu(self.norm2(self.conv2(out)))
        return self.norm3(self.conv3(out))


class ResLayer(Sequential):
    """One stage: ``num_blocks`` blocks, of which the first changes size and width.

    Args:
        block: `BasicBlock`, `Bottleneck` or another with their arguments.
        inplanes: Channels in.
        planes: Channels out over ``block.expansion``.
        num_blocks: Number of blocks.
        stride: Of the first block.
        dilation: Of every block.
        avg_down: The shortcut averages over ``stride`` before a 1x1 of stride 1 (ResNet-D).
        multi_grid: A dilation for each block, in place of ``dilation``.
        contract_dilation: The first block has half of ``dilation``.
        conv_cfg, norm_cfg: As everywhere in mmcv.
        block_options: Further arguments of each block, which refuses those it does not know.
    """

    def __init__(self, block: type, inplanes: int, planes: int, num_blocks: int,
                 stride: int = 1, dilation: int = 1, avg_down: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = dict(type='BN'),
                 multi_grid: tuple[int, ...] | None = None, contract_dilation: bool = False,
                 **block_options) -> None:
        width = planes * block.expansion
        downsample = None
        if stride != 1 or inplanes != width:
            downsample = _downsample(inplanes, width, stride, avg_down, conv_cfg, norm_cfg)
        dilations = list(multi_grid or [dilation] * num_blocks)
        if multi_grid is None and contract_dilation and dilation > 1:
            dilations[0] = dilation // 2
        super().__init__(*(
            block(width if i else inplanes, planes, stride=1 if i else stride,
                  dilation=dilations[i], downsample=None if i else downsample,
                  conv_cfg=conv_cfg, norm_cfg=norm_cfg, **block_options)
            for i in range(num_blocks)))


def _downsample(inplanes: int, width: int, stride: int, avg_down: bool,
                conv_cfg: dict | None, norm_cfg: dict) -> nn.Sequential:
    """The shortcut of a stage's first block."""
    pool = []
    if avg_down:
        pool = [nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)]
        stride = 1
    return nn.Sequential(
        *pool, build_conv_layer(conv_cfg, inplanes, width, 1, stride=stride, bias=False),
        build_norm_layer(norm_cfg, width)[1])
