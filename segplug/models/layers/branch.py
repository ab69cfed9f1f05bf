"""Residual blocks of networks with parallel branches, DDRNet and PIDNet.

Hong et al., https://arxiv.org/abs/2101.06085, and Xu et al., https://arxiv.org/abs/2206.02066.
Unlike the blocks of a ResNet these leave out the last activation at the end of a stage, because
branches are added up before it; and their weights are stored under ``conv1.conv``, ``conv1.bn``.
"""

from collections.abc import Callable

import torch
from mmcv.cnn import ConvModule, build_activation_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import nn


class BranchBlock(BaseModule):
    """Two 3x3 convolutions, or as a bottleneck 1x1, 3x3 and 1x1 to twice ``channels``.

    Args:
        in_channels: Channels in.
        channels: Channels inside.
        stride: Of the (first) 3x3.
        bottleneck: Which of the two kinds.
        shortcut: (in, out, stride) -> what brings the input to the output's size and width.
        act_out: Whether the sum goes through an activation.
        norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1, *, bottleneck: bool,
                 shortcut: Callable[[int, int, int], nn.Module], act_out: bool, norm_cfg: dict,
                 act_cfg: dict) -> None:
        super().__init__()
        cfgs = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        out_channels = channels * 2 if bottleneck else channels
        if bottleneck:
            self.conv1 = ConvModule(in_channels, channels, 1, **cfgs)
            self.conv2 = ConvModule(channels, channels, 3, stride, 1, **cfgs)
            self.conv3 = ConvModule(channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        else:
            self.conv1 = ConvModule(in_channels, channels, 3, stride, 1, **cfgs)
            self.conv2 = ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg,
                                    act_cfg=None)
        self.bottleneck = bottleneck
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = shortcut(in_channels, out_channels, stride)
        self.act = build_activation_layer(act_cfg) if act_out else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) float -> (N, channels or twice that, ceil(H / stride), ...)."""
        out = self.conv2(self.conv1(x))
        if self.bottleneck:
            out = self.conv3(out)
        out = out + (x if self.downsample is None else self.downsample(x))
        return out if self.act is None else self.act(out)


def branch_stage(in_channels: int, channels: int, num_blocks: int, stride: int = 1, *,
                 bottleneck: bool = False, **options) -> nn.Sequential:
    """Blocks in a row, of which the first changes size and width.

    Bottlenecks have no last activation; of plain blocks the first has one and the last, where
    it is another, has none.
    """
    width = channels * 2 if bottleneck else channels
    return nn.Sequential(*(
        BranchBlock(width if i else in_channels, channels, 1 if i else stride,
                    bottleneck=bottleneck,
                    act_out=not bottleneck and (i == 0 or i < num_blocks - 1), **options)
        for i in range(num_blocks)))


def branch_stem(in_channels: int, channels: int, num_blocks: int, **options) -> nn.Sequential:
    """Image -> (N, 2 * channels, H / 8, W / 8), where the branches part."""
    cfgs = {key: options[key] for key in ('norm_cfg', 'act_cfg')}
    return nn.Sequential(
        ConvModule(in_channels, channels, 3, stride=2, padding=1, **cfgs),
        ConvModule(channels, channels, 3, stride=2, padding=1, **cfgs),
        branch_stage(channels, channels, num_blocks, **options), nn.ReLU(inplace=True),
        branch_stage(channels, channels * 2, num_blocks, 2, **options), nn.ReLU(inplace=True))


def pre_activated(in_channels: int, channels: int, norm_cfg: dict,
                  act_cfg: dict) -> tuple[nn.Module, nn.Module, nn.Module]:
    """What these networks' heads have before a classifier: norm, activation, 3x3; norm; act."""
    return (ConvModule(in_channels, channels, 3, padding=1, norm_cfg=norm_cfg, act_cfg=act_cfg,
                       order=('norm', 'act', 'conv')),
            build_norm_layer(norm_cfg, channels)[1], build_activation_layer(act_cfg))
