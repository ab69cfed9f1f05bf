"""The head of APCNet: regions of several scales, joined at each pixel by learnt affinities.

He et al., Adaptive Pyramid Context Network for Semantic Segmentation, CVPR 2019.
N batch, K classes, C channels, H W pixels, S regions along each side.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from ...registry import MODELS
from ..layers import check_several, extends
from .decode_head import BaseDecodeHead


class ACM(nn.Module):
    """Adaptive context at one scale (section 3.2 of the paper).

    Each pixel takes up the S x S pooled regions, weighed by the sigmoid of affinities that its
    own feature and the mean feature of the image decide.

    Args:
        pool_scale: S.
        fusion: Whether a 1x1 convolution ends the module.
        in_channels: C of the input.
        channels: C of the output.
        conv: Makes a `ConvModule` from channels in, channels out and kernel size.
    """

    def __init__(self, pool_scale: int, fusion: bool, in_channels: int, channels: int,
                 conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.pool_scale = pool_scale
        self.pooled_redu_conv = conv(in_channels, channels, 1)
        self.input_redu_conv = conv(in_channels, channels, 1)
        self.global_info = conv(channels, channels, 1)
        self.gla = nn.Conv2d(channels, pool_scale ** 2, 1)
        self.residual_conv = conv(channels, channels, 1)
        self.fusion_conv = conv(channels, channels, 1) if fusion else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, channels, H, W)."""
        regions = self.pooled_redu_conv(F.adaptive_avg_pool2d(x, self.pool_scale)).flatten(2)
        x = self.input_redu_conv(x)
        affinity = self.gla(x + self.global_info(F.adaptive_avg_pool2d(x, 1))).sigmoid()
        context = (regions @ affinity.flatten(2)).unflatten(2, x.shape[2:])
        return self.fusion_conv(F.relu(self.residual_conv(context) + x))


@MODELS.register_module()
class APCHead(BaseDecodeHead):
    """The input beside one `ACM` per scale, then a 3x3 convolution.

    Args:
        pool_scales: S of each module.
        fusion: Whether each module ends in a 1x1 convolution.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), fusion: bool = True,
                 **options) -> None:
        check_several('APCHead', pool_scales=pool_scales)
        super().__init__(**options)
        self.pool_scales, self.fusion = pool_scales, fusion
        conv = partial(ConvModule, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                       act_cfg=self.act_cfg)
        self.acm_modules = nn.ModuleList(
            ACM(scale, fusion, self.in_channels, self.channels, conv) for scale in pool_scales)
        self.bottleneck = conv(self.in_channels + len(pool_scales) * self.channels,
                               self.channels, 3, padding=1)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the input level."""
        x = self._transform_inputs(inputs)
        return self.cls_seg(self.bottleneck(
            torch.cat([x, *(module(x) for module in self.acm_modules)], dim=1)))
