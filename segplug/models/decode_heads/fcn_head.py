"""The head of fully convolutional networks: some convolutions, then the classifier.

Long et al., https://arxiv.org/abs/1411.4038, in the form of the published FCN-D8 models.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ..layers import extends
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class FCNHead(BaseDecodeHead):
    """``num_convs`` convolutions, then one over their output and the input joined.

    Args:
        num_convs: Number of convolutions; 0 needs ``in_channels == channels``.
        kernel_size: Of every convolution.
        concat_input: Whether the last convolution, over output and input, is there.
        dilation: Of the ``num_convs``.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, num_convs: int = 2, kernel_size: int = 3, concat_input: bool = True,
                 dilation: int = 1, **options) -> None:
        if num_convs < 0 or dilation < 1:
            raise ConfigError('An FCNHead has no convolutions of this kind.',
                              got=f'num_convs={num_convs}, dilation={dilation}',
                              expected='num_convs >= 0, dilation >= 1', culprit='num_convs')
        super().__init__(**options)
        self.num_convs, self.kernel_size = num_convs, kernel_size
        self.concat_input, self.dilation = concat_input, dilation
        if num_convs == 0 and self.in_channels != self.channels:
            raise ConfigError('Without convolutions an FCNHead cannot change the width.',
                              got=f'in_channels={self.in_channels}, channels={self.channels}',
                              expected='equal ones', culprit='num_convs')
        self.convs = nn.Identity()
        if num_convs > 0:
            widths = [self.in_channels] + [self.channels] * (num_convs - 1)
            self.convs = nn.Sequential(*(self._conv(width, dilation) for width in widths))
        if concat_input:
            self.conv_cat = self._conv(self.in_channels + self.channels, 1)

    def _conv(self, in_channels: int, dilation: int) -> ConvModule:
        return ConvModule(in_channels, self.channels, self.kernel_size,
                          padding=self.kernel_size // 2 * dilation, dilation=dilation,
                          conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        """The ``num_convs`` convolutions; heads with a block between them say so here."""
        return self.convs(x)

    def _forward_feature(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> (N, channels, h, w), what the classifier sees."""
        x = self._transform_inputs(inputs)
        feats = self._convolve(x)
        if self.concat_input:
            feats = self.conv_cat(torch.cat([x, feats], dim=1))
        return feats

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, h, w), at the size of the input level."""
        return self.cls_seg(self._forward_feature(inputs))
