"""``mmseg.models.utils.basic_block``: the blocks of networks with parallel branches."""

import torch
from mmcv.cnn import ConvModule, build_activation_layer
from mmengine.model import BaseModule
from torch import nn

_BN, _RELU = dict(type='BN'), dict(type='ReLU', inplace=True)


class _Branch(BaseModule):
    """The sum of a chain of convolutions and a shortcut, perhaps activated."""

    def __init__(self, downsample: nn.Module | None, act_cfg_out: dict | None, init_cfg) -> None:
        super().__init__(init_cfg)
        self.downsample = downsample
        if act_cfg_out:
            self.act = build_activation_layer(act_cfg_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) float -> (N, channels * expansion, h, w)."""
        out = self.conv2(self.conv1(x))
        if hasattr(self, 'conv3'):
            out = self.conv3(out)
        out = out + (self.downsample(x) if self.downsample else x)
        return self.act(out) if hasattr(self, 'act') else out


class BasicBlock(_Branch):
    """Two 3x3 convolutions.

    Args:
        in_channels, channels: Channels in and out.
        stride: Of the first.
        downsample: Brings the input to the size and width of the output, where they differ.
        norm_cfg, act_cfg: As everywhere in mmcv.
        act_cfg_out: Activation of the sum; None for none.
        init_cfg: mmengine's initialisation.
    """

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1,
                 downsample: nn.Module | None = None, norm_cfg: dict | None = _BN,
                 act_cfg: dict | None = _RELU, act_cfg_out: dict | None = _RELU,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(downsample, act_cfg_out, init_cfg)
        self.conv1 = ConvModule(in_channels, channels, 3, stride, 1, norm_cfg=norm_cfg,
                                act_cfg=act_cfg)
        self.conv2 = ConvModule(channels, channels, 3, padding=1, norm_cfg=norm_cfg, act_cfg=None)


class Bottleneck(_Branch):
    """1x1, 3x3 and 1x1 to twice ``channels``; other arguments as for `BasicBlock`."""

    expansion = 2

    def __init__(self, in_channels: int, channels: int, stride: int = 1,
                 downsample: nn.Module | None = None, norm_cfg: dict | None = _BN,
                 act_cfg: dict | None = _RELU, act_cfg_out: dict | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(downsample, act_cfg_out, init_cfg)
        self.conv1 = ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv2 = ConvModule(channels, channels, 3, stride, 1, norm_cfg=norm_cfg,
                                act_cfg=act_cfg)
        self.conv3 = ConvModule(channels, channels * self.expansion, 1, norm_cfg=norm_cfg,
                                act_cfg=None)
