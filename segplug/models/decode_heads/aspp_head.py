"""The head of DeepLabV3: one map seen by convolutions of several dilations at once.

Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation,
https://arxiv.org/abs/1706.05587. DeepLabV3+ (``sep_aspp_head``) builds upon it.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...registry import MODELS
from ..layers import JoinedConv, check_several, extends
from .decode_head import BaseDecodeHead


class ASPPModule(nn.ModuleList):
    """One 3x3 convolution per dilation, side by side; dilation 1 stands for a 1x1.

    Args:
        dilations: One for each branch.
        in_channels: C of the input.
        channels: Channels of each branch.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, dilations: Sequence[int], in_channels: int, channels: int,
                 conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__(
            ConvModule(in_channels, channels, 1 if dilation == 1 else 3, dilation=dilation,
                       padding=0 if dilation == 1 else dilation, conv_cfg=conv_cfg,
                       norm_cfg=norm_cfg, act_cfg=act_cfg)
            for dilation in dilations)
        self.dilations = tuple(dilations)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, h, w) -> one (N, channels, h, w) for each dilation."""
        return [branch(x) for branch in self]


@MODELS.register_module()
class ASPPHead(BaseDecodeHead):
    """The mean of the whole map and the dilated branches, joined by a 3x3 convolution.

    Args:
        dilations: One for each branch, 1 for a 1x1 convolution.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, dilations: Sequence[int] = (1, 6, 12, 18), **options) -> None:
        check_several(type(self).__name__, dilations=dilations)
        super().__init__(**options)
        self.dilations = dilations
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.image_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), ConvModule(self.in_channels, self.channels, 1, **cfgs))
        self.aspp_modules = self._branches(cfgs)
        self.bottleneck = JoinedConv((len(dilations) + 1) * self.channels, self.channels,
                                     self.align_corners, **cfgs)

    def _branches(self, cfgs: dict) -> ASPPModule:
        return ASPPModule(self.dilations, self.in_channels, self.channels, **cfgs)

    def _forward_feature(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w), what the classifier sees."""
        x = self._transform_inputs(inputs)
        return self.bottleneck([self.image_pool(x), *self.aspp_modules(x)], like=-1)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the input level."""
        return self.cls_seg(self._forward_feature(inputs))
