"""Expectation-maximisation attention: a map is rebuilt from a few bases that are fitted to it.

Li et al., https://arxiv.org/abs/1907.13426. N batch, C channels, H W pixels, B bases.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.dist import all_reduce
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import extends, full_precision
from .decode_head import BaseDecodeHead


@torch.no_grad()
def fit_bases(feats: torch.Tensor, bases: torch.Tensor,
              num_stages: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rounds of expectation (softmax over the bases) and maximisation (weighted mean of pixels).

    Args:
        feats: (N, C, H W) float.
        bases: (1, C, B) float, of length one each; where every image starts.
        num_stages: Number of rounds, at least 1.

    Returns:
        The bases (N, C, B) after the last round, of length one each, and its weights
        (N, H W, B), which sum to one over the bases.
    """
    # The same products as by @, which asks whether N is 1, what a graph for any N cannot tell.
    bases = bases.expand(feats.shape[0], -1, -1)
    for _ in range(num_stages):
        weight = torch.bmm(feats.transpose(1, 2), bases).softmax(dim=2)
        bases = F.normalize(feats @ F.normalize(weight, p=1, dim=1), dim=1)
    return bases, weight


class EMAModule(nn.Module):
    """`fit_bases` from bases that follow those of the training images, as a running mean.

    No gradient passes through: a map is trained by the head's shortcut alone. ``momentum`` is the
    weight of a batch in the running mean.
    """

    def __init__(self, channels: int, num_bases: int, num_stages: int, momentum: float) -> None:
        super().__init__()
        if num_stages < 1:
            raise ConfigError('The bases are fitted in one round or more.', got=str(num_stages),
                              expected='num_stages >= 1', culprit='num_stages')
        self.num_bases, self.num_stages, self.momentum = num_bases, num_stages, momentum
        bases = torch.randn(1, channels, num_bases) * math.sqrt(2 / num_bases)
        self.register_buffer('bases', F.normalize(bases, dim=1))

    def forward(self, feats: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape, in the span of the bases."""
        with full_precision(feats):
            bases, weight = fit_bases(feats.flatten(2).float(), self.bases.float(),
                                      self.num_stages)
            rebuilt = bases @ weight.transpose(1, 2)
        if self.training:
            self._follow(bases)
        return rebuilt.view_as(feats).to(feats.dtype)

    @torch.no_grad()
    def _follow(self, bases: torch.Tensor) -> None:
        """Move the running mean towards the mean (N, C, B) over images and processes."""
        mean = bases.mean(dim=0, keepdim=True)
        all_reduce(mean, op='mean')
        self.bases.lerp_(F.normalize(mean, dim=1).to(self.bases.dtype), self.momentum)


@MODELS.register_module()
class EMAHead(BaseDecodeHead):
    """The rebuilt map added to the map, then one or two 3x3 convolutions.

    Args:
        ema_channels: Channels of the map that is rebuilt.
        num_bases, num_stages, momentum: See `EMAModule`.
        concat_input: Whether the last convolution, over output and input, is there.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, ema_channels: int, num_bases: int, num_stages: int,
                 concat_input: bool = True, momentum: float = 0.1, **options) -> None:
        super().__init__(**options)
        self.ema_channels, self.num_bases, self.num_stages = ema_channels, num_bases, num_stages
        self.concat_input, self.momentum = concat_input, momentum
        self.ema_module = EMAModule(ema_channels, num_bases, num_stages, momentum)
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.ema_in_conv = ConvModule(self.in_channels, ema_channels, 3, padding=1, **cfgs)
        # From values above zero to values of both signs. Nothing trains it: no gradient reaches
        # it, and a parameter without one would stop a distributed training.
        self.ema_mid_conv = ConvModule(ema_channels, ema_channels, 1, conv_cfg=self.conv_cfg,
                                       act_cfg=None).requires_grad_(False)
        self.ema_out_conv = ConvModule(ema_channels, ema_channels, 1, conv_cfg=self.conv_cfg,
                                       norm_cfg=self.norm_cfg, act_cfg=None)
        self.bottleneck = ConvModule(ema_channels, self.channels, 3, padding=1, **cfgs)
        if concat_input:
            self.conv_cat = ConvModule(self.in_channels + self.channels, self.channels, 3,
                                       padding=1, **cfgs)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the input level."""
        x = self._transform_inputs(inputs)
        feats = self.ema_in_conv(x)
        rebuilt = self.ema_module(self.ema_mid_conv(feats)).relu()
        feats = self.bottleneck((feats + self.ema_out_conv(rebuilt)).relu())
        if self.concat_input:
            feats = self.conv_cat(torch.cat([x, feats], dim=1))
        return self.cls_seg(feats)
