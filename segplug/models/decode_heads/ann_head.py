"""The head of ANN: attention to a few pooled places of a map in place of all its pixels.

Zhu et al., Asymmetric Non-local Neural Networks for Semantic Segmentation,
https://arxiv.org/abs/1908.07678. N batch, K classes, C channels, H W pixels, S places.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import SelfAttentionBlock, extends
from .decode_head import BaseDecodeHead


class PPMConcat(nn.Module):
    """The means over s x s cells, for several s. (N, C, H, W) -> (N, C, S), S the sum of s^2."""

    def __init__(self, pool_scales: Sequence[int]) -> None:
        super().__init__()
        self.pool_scales = tuple(pool_scales)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([F.adaptive_avg_pool2d(x, scale).flatten(2)
                          for scale in self.pool_scales], dim=2)


class AsymmetricBlock(nn.Module):
    """A map attends to the places of another, and a 1x1 convolution joins the result to it.

    The paper's AFNB for two levels, and APNB for a level and itself.

    Args:
        low_in_channels: Channels of the map that is attended to.
        high_in_channels: Channels of the map that attends.
        channels: Channels of queries, keys and values.
        context_channels: Channels of what attention gives.
        out_channels: Channels of the result.
        share_key_query: One projection for queries and keys.
        query_scales: One attention each, added up; its queries are pooled by this factor.
        key_pool_scales: Cells along each side.
        align_corners: Where pooled queries give a map that is resized.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
        out_act_cfg: Of the 1x1 convolution.
    """

    def __init__(self, low_in_channels: int, high_in_channels: int, channels: int,
                 context_channels: int, out_channels: int, *, share_key_query: bool,
                 query_scales: Sequence[int], key_pool_scales: Sequence[int],
                 align_corners: bool, conv_cfg: dict | None, norm_cfg: dict | None,
                 act_cfg: dict | None, out_act_cfg: dict | None) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.stages = nn.ModuleList(
            SelfAttentionBlock(
                low_in_channels, high_in_channels, channels, context_channels, share_key_query,
                query_downsample=nn.MaxPool2d(scale) if scale > 1 else None,
                key_downsample=PPMConcat(key_pool_scales), key_query_num_convs=1,
                value_out_num_convs=1, key_query_norm=True, value_out_norm=False,
                matmul_norm=True, with_out=True, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                act_cfg=act_cfg)
            for scale in query_scales)
        self.bottleneck = ConvModule(context_channels + high_in_channels, out_channels, 1,
                                     conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=out_act_cfg)

    def forward(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """(N, low_in_channels, h, w), (N, high_in_channels, H, W) -> (N, out_channels, H, W)."""
        context = sum(resize(stage(high, low), size=high.shape[2:], mode='bilinear',
                             align_corners=self.align_corners) for stage in self.stages)
        return self.bottleneck(torch.cat([context, high], dim=1))


@MODELS.register_module()
class ANNHead(BaseDecodeHead):
    """The high level attends to the low one, then what came of it to itself.

    Args:
        project_channels: Channels of queries, keys and values.
        query_scales: One attention each, added up; its queries are pooled by this factor. A
            factor above 1, with which mmsegmentation fails, resizes the result as the authors do.
        key_pool_scales: Cells along each side of what is attended to.
        Others as for `BaseDecodeHead`; ``in_channels`` and ``in_index`` are those of the low
        and the high level.

    Raises:
        ConfigError: If there are not two levels.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, project_channels: int, query_scales: Sequence[int] = (1,),
                 key_pool_scales: Sequence[int] = (1, 3, 6, 8), **options) -> None:
        super().__init__(input_transform='multiple_select', **options)
        if len(self.in_channels) != 2:
            raise ConfigError('An ANNHead takes two levels.', expected='two in_channels',
                              got=f'in_channels={self.in_channels}', culprit='in_channels')
        self.project_channels = project_channels
        low, high = self.in_channels
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        block = dict(query_scales=query_scales, key_pool_scales=key_pool_scales,
                     align_corners=self.align_corners, **cfgs)
        self.fusion = AsymmetricBlock(low, high, project_channels, high, high,
                                      share_key_query=False, out_act_cfg=None, **block)
        self.bottleneck = ConvModule(high, self.channels, 3, padding=1, **cfgs)
        self.context = AsymmetricBlock(self.channels, self.channels, project_channels,
                                       self.channels, self.channels, share_key_query=True,
                                       out_act_cfg=self.act_cfg, **block)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the high level."""
        low, high = self._transform_inputs(inputs)
        x = self.fusion(low, high)
        if self.dropout is not None:
            x = self.dropout(x)
        x = self.bottleneck(x)
        return self.cls_seg(self.context(x, x))
