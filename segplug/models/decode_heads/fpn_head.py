"""The semantic head of Panoptic FPN: all levels brought to the size of the finest, and added.

Kirillov et al., https://arxiv.org/abs/1901.02446.
"""

import math
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import extends
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class FPNHead(BaseDecodeHead):
    """Semantic FPN. Each doubling of the size has a 3x3 convolution before it.

    Args:
        feature_strides: Stride of each level, finest first; powers of 2.
        Others as for `BaseDecodeHead`; one of ``in_channels`` and ``in_index`` per level.

    Raises:
        ConfigError: For strides that do not fit the levels or come in another order.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, feature_strides: Sequence[int], **options) -> None:
        super().__init__(input_transform='multiple_select', **options)
        if (len(feature_strides) != len(self.in_channels)
                or min(feature_strides) != feature_strides[0]):
            raise ConfigError('An FPNHead takes the stride of each level, finest first.',
                              got=f'{feature_strides} for {len(self.in_channels)} levels',
                              culprit='feature_strides')
        self.feature_strides = feature_strides
        self.scale_heads = nn.ModuleList(
            self._scale_head(width, int(math.log2(stride / feature_strides[0])))
            for width, stride in zip(self.in_channels, feature_strides, strict=True))

    def _scale_head(self, width: int, num_doublings: int) -> nn.Sequential:
        layers = []
        for k in range(max(num_doublings, 1)):
            layers.append(ConvModule(self.channels if k else width, self.channels, 3, padding=1,
                                     conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                                     act_cfg=self.act_cfg))
            if num_doublings:
                layers.append(nn.Upsample(scale_factor=2, mode='bilinear',
                                          align_corners=self.align_corners))
        return nn.Sequential(*layers)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the finest."""
        levels = [head(x) for head, x in zip(self.scale_heads, self._transform_inputs(inputs),
                                             strict=True)]
        # A level of odd size comes out a pixel too large.
        return self.cls_seg(sum(resize(x, size=levels[0].shape[2:], mode='bilinear',
                                       align_corners=self.align_corners) for x in levels))
