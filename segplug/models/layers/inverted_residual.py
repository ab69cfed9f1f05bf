"""Inverted residuals: 1x1 to a wide map, 3x3 or 5x5 within each channel, 1x1 back to a narrow one.

MobileNetV2, https://arxiv.org/abs/1801.04381, and MobileNetV3, https://arxiv.org/abs/1905.02244.
Names inside are open-mmlab's, because published weights are stored under them.
"""

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from .checkpointing import run_block


def make_divisible(value: float, divisor: int, min_value: int | None = None,
                   min_ratio: float = 0.9) -> int:
    """The multiple of ``divisor`` that is nearest to ``value``, halves upwards.

    Args:
        value: A number of channels.
        divisor: What the result is a multiple of.
        min_value: The least result; default ``divisor``.
        min_ratio: A result below this share of ``value`` goes one multiple up.
    """
    least = divisor if min_value is None else min_value
    nearest = max(least, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < min_ratio * value else nearest


class SELayer(nn.Module):
    """Squeeze and excitation: each channel times a gate that sees the means of all channels.

    Hu et al., https://arxiv.org/abs/1709.01507, with the hard sigmoid of MobileNetV3.

    Args:
        channels: Channels in and out.
        ratio: ``channels`` over those between the two 1x1 convolutions, to a multiple of 8.
        conv_cfg: As everywhere in mmcv.
    """

    def __init__(self, channels: int, ratio: int = 16, conv_cfg: dict | None = None) -> None:
        super().__init__()
        squeezed = make_divisible(channels // ratio, 8)
        self.conv1 = ConvModule(channels, squeezed, 1, conv_cfg=conv_cfg)
        self.conv2 = ConvModule(squeezed, channels, 1, conv_cfg=conv_cfg, act_cfg=None)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        means = x.mean(dim=(2, 3), keepdim=True)
        return x * self.gate(self.conv2(self.conv1(means)))


class InvertedResidual(nn.Module):
    """The block of MobileNetV2; the input is added where it has the shape of the output.

    Args:
        in_channels, out_channels: Channels in and out.
        stride: Of the 3x3, 1 or 2.
        expand_ratio: Channels of the 3x3 over ``in_channels``; 1 leaves the first 1x1 out.
        dilation: Of the 3x3.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv; the last 1x1 has no activation.
        with_cp: Gradient checkpointing.

    Raises:
        ConfigError: For another stride.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand_ratio: float,
                 dilation: int = 1, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU6'),
                 with_cp: bool = False) -> None:
        super().__init__()
        _check_stride(stride)
        self.with_cp = with_cp
        self.use_res_connect = stride == 1 and in_channels == out_channels
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        hidden = round(in_channels * expand_ratio)
        layers = []
        if expand_ratio != 1:
            layers.append(ConvModule(in_channels, hidden, 1, act_cfg=act_cfg, **common))
        self.conv = nn.Sequential(
            *layers,
            ConvModule(hidden, hidden, 3, stride=stride, padding=dilation, dilation=dilation,
                       groups=hidden, act_cfg=act_cfg, **common),
            ConvModule(hidden, out_channels, 1, act_cfg=None, **common))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        out = run_block(self, self.conv, x)
        return x + out if self.use_res_connect else out


class InvertedResidualV3(nn.Module):
    """The block of MobileNetV3; the input is added where it has the shape of the output.

    Args:
        in_channels, out_channels: Channels in and out.
        mid_channels: Channels between; the first 1x1 is left out where ``with_expand_conv`` is
            False, which needs ``mid_channels == in_channels``.
        kernel_size: Of the convolution within each channel, odd.
        stride: Its stride, 1 or 2. With 2 it is padded as TensorFlow does, at the far end first.
        se_cfg: Arguments of an `SELayer` after it; None for no such layer.
        with_expand_conv: Whether the first 1x1 is there.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv; the last 1x1 has no activation.
        with_cp: Gradient checkpointing.
        dilation: Of the convolution within each channel.

    Raises:
        ConfigError: For another stride, or widths that do not fit.
    """

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int,
                 kernel_size: int = 3, stride: int = 1, se_cfg: dict | None = None,
                 with_expand_conv: bool = True, conv_cfg: dict | None = None,
                 norm_cfg: dict = dict(type='BN'), act_cfg: dict = dict(type='ReLU'),
                 with_cp: bool = False, dilation: int = 1) -> None:
        super().__init__()
        _check_stride(stride)
        if not with_expand_conv and mid_channels != in_channels:
            raise ConfigError('Without the first 1x1 a block cannot widen.',
                              got=f'in_channels={in_channels}, mid_channels={mid_channels}',
                              expected='equal ones', culprit='mid_channels')
        self.with_cp = with_cp
        self.with_res_shortcut = stride == 1 and in_channels == out_channels
        common = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        if with_expand_conv:
            self.expand_conv = ConvModule(in_channels, mid_channels, 1, act_cfg=act_cfg, **common)
        self.depthwise_conv = ConvModule(
            mid_channels, mid_channels, kernel_size, stride=stride,
            padding=kernel_size // 2 * dilation, dilation=dilation, groups=mid_channels,
            conv_cfg=dict(type='Conv2dAdaptivePadding') if stride == 2 else conv_cfg,
            norm_cfg=norm_cfg, act_cfg=act_cfg)
        if se_cfg is not None:
            self.se = SELayer(**se_cfg)
        self.linear_conv = ConvModule(mid_channels, out_channels, 1, act_cfg=None, **common)

    def _residual(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.children():  # in the order they were made
            x = layer(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        out = run_block(self, self._residual, x)
        return x + out if self.with_res_shortcut else out


def _check_stride(stride: int) -> None:
    if stride not in (1, 2):
        raise ConfigError('An inverted residual strides by 1 or 2.', got=stride,
                          culprit='stride')
