"""The head of DeepLabV3+: pyramid of dilations at low resolution, edges from a finer level.

Chen et al., Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation,
https://arxiv.org/abs/1802.02611.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import extends
from .aspp_head import ASPPHead, ASPPModule


@MODELS.register_module()
class DepthwiseSeparableASPPHead(ASPPHead):
    """`ASPPHead` with separable branches, brought to the first level and joined with it.

    As in the published models, ``conv_cfg`` is not for the separable convolutions.

    Args:
        c1_in_channels: Channels of the first level; 0 leaves it out.
        c1_channels: Channels to which a 1x1 convolution brings it; 0 where it is left out.
        Others as for `ASPPHead`.

    Raises:
        ConfigError: If only one of the two is 0.
    """

    @extends(ASPPHead)
    def __init__(self, c1_in_channels: int, c1_channels: int, **options) -> None:
        if (c1_in_channels == 0) != (c1_channels == 0):
            raise ConfigError('DeepLabV3+ uses its first level or leaves it out.',
                              got=f'c1_in_channels={c1_in_channels}, c1_channels={c1_channels}',
                              expected='both 0 or neither', culprit='c1_channels')
        super().__init__(**options)
        self.c1_bottleneck = None
        if c1_in_channels:
            self.c1_bottleneck = ConvModule(c1_in_channels, c1_channels, 1,
                                            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                                            act_cfg=self.act_cfg)
        self.sep_bottleneck = nn.Sequential(
            self._separable(self.channels + c1_channels, 1), self._separable(self.channels, 1))

    def _separable(self, in_channels: int, dilation: int) -> DepthwiseSeparableConvModule:
        return DepthwiseSeparableConvModule(in_channels, self.channels, 3, dilation=dilation,
                                            padding=dilation, norm_cfg=self.norm_cfg,
                                            act_cfg=self.act_cfg)

    def _branches(self, cfgs: dict) -> ASPPModule:
        branches = super()._branches(cfgs)
        for i, dilation in enumerate(self.dilations):
            if dilation > 1:
                branches[i] = self._separable(self.in_channels, dilation)
        return branches

    def _forward_feature(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w), what the classifier sees, at the first level's size."""
        feats = super()._forward_feature(inputs)
        if self.c1_bottleneck is not None:
            fine = self.c1_bottleneck(inputs[0])
            feats = resize(feats, size=fine.shape[2:], mode='bilinear',
                           align_corners=self.align_corners)
            feats = torch.cat([feats, fine], dim=1)
        return self.sep_bottleneck(feats)
