"""Pyramid pooling whose scales are fused: DAPPM one after the other, PAPPM side by side.

Hong et al., https://arxiv.org/abs/2101.06085, equation 2; Xu et al.,
https://arxiv.org/abs/2206.02066.
"""

from collections.abc import Callable
from functools import partial

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

from ...ops.resize import resize


class DAPPM(BaseModule):
    """Deep aggregation: every scale is added to the one before it and convolved.

    Scale 0 is the input, scale i a mean over 2 ** (i + 1) + 1 pixels with stride 2 ** i, the
    last one the mean over all. Every convolution comes after its norm and activation.

    Args:
        in_channels: C of the input.
        branch_channels: Channels of each scale.
        out_channels: Channels of the result.
        num_scales: Number of scales, at least 2.
        norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, branch_channels: int, out_channels: int,
                 num_scales: int = 5, norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True)) -> None:
        super().__init__()
        conv = partial(ConvModule, bias=False, norm_cfg=norm_cfg, act_cfg=act_cfg,
                       order=('norm', 'act', 'conv'))
        pools = [nn.AvgPool2d(2 * stride + 1, stride, stride)
                 for stride in (2**i for i in range(1, num_scales - 1))]
        self.scales = nn.ModuleList([conv(in_channels, branch_channels, 1), *(
            nn.Sequential(pool, conv(in_channels, branch_channels, 1))
            for pool in (*pools, nn.AdaptiveAvgPool2d(1)))])
        self.processes = self._processes(branch_channels, num_scales - 1, conv)
        self.compression = conv(branch_channels * num_scales, out_channels, 1)
        self.shortcut = conv(in_channels, out_channels, 1)

    def _processes(self, channels: int, num: int,
                   conv: Callable[..., nn.Module]) -> nn.Module:
        return nn.ModuleList(conv(channels, channels, 3, padding=1) for _ in range(num))

    def _fused(self, scales: list[torch.Tensor]) -> list[torch.Tensor]:
        """Every scale at the input's size -> maps of ``branch_channels * num_scales`` in all."""
        maps = scales[:1]
        for process, scale in zip(self.processes, scales[1:], strict=True):
            maps.append(process(scale + maps[-1]))
        return maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) float -> (N, out_channels, h, w)."""
        scales = [resize(scale(x), size=x.shape[2:], mode='bilinear', align_corners=False)
                  for scale in self.scales]
        return self.compression(torch.cat(self._fused(scales), dim=1)) + self.shortcut(x)


class PAPPM(DAPPM):
    """Parallel aggregation: every scale is added to scale 0; one grouped convolution for all."""

    def _processes(self, channels: int, num: int,
                   conv: Callable[..., nn.Module]) -> nn.Module:
        return conv(channels * num, channels * num, 3, padding=1, groups=num)

    def _fused(self, scales: list[torch.Tensor]) -> list[torch.Tensor]:
        first, *others = scales
        return [first, self.processes(torch.cat([scale + first for scale in others], dim=1))]
