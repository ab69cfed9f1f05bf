"""Object-contextual representations: a pixel attends to the classes that the image shows.

Yuan et al., https://arxiv.org/abs/1909.11065. N batch, K classes, C channels, H W pixels.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from torch import nn

from ...ops.resize import resize
from ...registry import MODELS
from ..layers import SelfAttentionBlock, extends
from .cascade_decode_head import BaseCascadeDecodeHead


def gather_regions(feats: torch.Tensor, logits: torch.Tensor, scale: float = 1) -> torch.Tensor:
    """The mean feature of each class's soft region (equation 2 of the paper).

    Args:
        feats: (N, C, H, W) float.
        logits: (N, K, H, W) float. A class's weights are their softmax over the pixels.
        scale: Factor of the logits.

    Returns:
        (N, C, K, 1).
    """
    weights = (scale * logits).flatten(2).softmax(dim=2)
    return torch.matmul(feats.flatten(2), weights.transpose(1, 2)).unsqueeze(3)


class SpatialGatherModule(nn.Module):
    """`gather_regions`, with a factor of the logits."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, feats: torch.Tensor, probs: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) features and (N, K, H, W) logits -> (N, C, K, 1)."""
        return gather_regions(feats, probs, self.scale)


class ObjectAttentionBlock(SelfAttentionBlock):
    """Attention from pixels to regions, joined with the pixels (equations 3 to 5).

    Args:
        in_channels: Channels of pixels and regions, and of the result.
        channels: Channels of queries, keys and values.
        scale: Above 1, the pixels attend at a size that is smaller by this factor.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.
    """

    def __init__(self, in_channels: int, channels: int, scale: int, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__(
            key_in_channels=in_channels, query_in_channels=in_channels, channels=channels,
            out_channels=in_channels, share_key_query=False,
            query_downsample=nn.MaxPool2d(scale) if scale > 1 else None, key_downsample=None,
            key_query_num_convs=2, value_out_num_convs=1, key_query_norm=True,
            value_out_norm=True, matmul_norm=True, with_out=True, conv_cfg=conv_cfg,
            norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.bottleneck = ConvModule(2 * in_channels, in_channels, 1, conv_cfg=conv_cfg,
                                     norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, query_feats: torch.Tensor, key_feats: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) pixels, (N, C, K, 1) regions -> (N, C, H, W)."""
        context = resize(super().forward(query_feats, key_feats), size=query_feats.shape[2:],
                         mode='bilinear', align_corners=False)
        return self.bottleneck(torch.cat([context, query_feats], dim=1))


@MODELS.register_module()
class OCRHead(BaseCascadeDecodeHead):
    """OCRNet, https://arxiv.org/abs/1909.11065.

    The logits of the head before say which pixels make up the region of a class.

    Args:
        ocr_channels: Channels in which pixels and regions are compared.
        scale: Factor of these logits; above 1 also that by which pixels are pooled before they
            attend. mmsegmentation fails there.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseCascadeDecodeHead)
    def __init__(self, ocr_channels: int, scale: int = 1, **options) -> None:
        super().__init__(**options)
        self.ocr_channels, self.scale = ocr_channels, scale
        layer = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.object_context_block = ObjectAttentionBlock(self.channels, ocr_channels, scale,
                                                         **layer)
        self.spatial_gather_module = SpatialGatherModule(scale)
        self.bottleneck = ConvModule(self.in_channels, self.channels, 3, padding=1, **layer)

    def forward(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor) -> torch.Tensor:
        """Levels and logits (N, K, *) -> logits (N, K, h, w), at the size of the first level."""
        feats = self.bottleneck(self._transform_inputs(inputs))
        coarse = resize(prev_output, size=feats.shape[2:], mode='bilinear',
                        align_corners=self.align_corners)
        regions = self.spatial_gather_module(feats, coarse)
        return self.cls_seg(self.object_context_block(feats, regions))
