"""Lite R-ASPP, the head of MobileNetV3, https://arxiv.org/abs/1905.02244, section 6.4."""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn
from torch.nn import functional as F

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import check_several, extends
from .decode_head import BaseDecodeHead

# Of the average pooling, at the published crops of 512x1024 (stride 8: maps of 64x128).
_POOL_SIZE, _POOL_STRIDE = 49, (16, 20)


@MODELS.register_module()
class LRASPPHead(BaseDecodeHead):
    """The deepest level times a gate of its own means, joined by finer levels one by one.

    Maps of fewer than 49 pixels, which mmsegmentation refuses, are pooled over their whole
    length.

    Args:
        branch_channels: Channels that each finer level brings, finest first.
        in_channels: Channels of the levels, finest first; one more than ``branch_channels``.
        Others as for `BaseDecodeHead`; ``input_transform`` is 'multiple_select'.

    Raises:
        ConfigError: For another ``input_transform``, or lengths that do not fit.
    """

    @extends(BaseDecodeHead)
    def __init__(self, branch_channels: Sequence[int] = (32, 64), **options) -> None:
        check_several('LRASPPHead', branch_channels=branch_channels)
        super().__init__(**options)
        if self.input_transform != 'multiple_select':
            raise ConfigError('An LRASPPHead takes several levels.',
                              got=f'input_transform={self.input_transform!r}',
                              expected="'multiple_select'", culprit='input_transform')
        if len(branch_channels) != len(self.in_channels) - 1:
            raise ConfigError('An LRASPPHead has a branch for each level but the deepest.',
                              got=f'branch_channels={tuple(branch_channels)}, '
                                  f'in_channels={tuple(self.in_channels)}',
                              expected='one branch less than levels', culprit='branch_channels')
        self.branch_channels = branch_channels
        *finer, deepest = self.in_channels
        self.convs, self.conv_ups = nn.Sequential(), nn.Sequential()
        for i, (width, branch) in enumerate(zip(finer, branch_channels, strict=True)):
            self.convs.add_module(f'conv{i}', nn.Conv2d(width, branch, 1, bias=False))
            self.conv_ups.add_module(f'conv_up{i}', self._conv(self.channels + branch))
        self.conv_up_input = nn.Conv2d(self.channels, self.channels, 1)
        self.aspp_conv = self._conv(deepest)
        # The gate's convolution is number 1: published weights count the pooling before it.
        self.image_pool = nn.Sequential(nn.Identity(), ConvModule(
            deepest, self.channels, 1, act_cfg=dict(type='Sigmoid'), bias=False))

    def _conv(self, in_channels: int) -> ConvModule:
        return ConvModule(in_channels, self.channels, 1, norm_cfg=self.norm_cfg,
                          act_cfg=self.act_cfg, bias=False)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels, finest first, each (N, C, h, w) -> logits (N, K, h, w) at the finest's size."""
        *finer, x = self._transform_inputs(inputs)
        pool_size = [min(_POOL_SIZE, length) for length in x.shape[2:]]
        gate = self.image_pool(F.avg_pool2d(x, pool_size, _POOL_STRIDE))
        x = self.conv_up_input(self.aspp_conv(x) * self._resize(gate, x))
        for skip, conv, conv_up in reversed(list(zip(
                finer, self.convs, self.conv_ups, strict=True))):
            x = conv_up(torch.cat([self._resize(x, skip), conv(skip)], dim=1))
        return self.cls_seg(x)

    def _resize(self, x: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
        return resize(x, size=to.shape[2:], mode='bilinear', align_corners=self.align_corners)
