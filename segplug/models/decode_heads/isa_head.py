"""The head of ISANet: attention to far pixels, then to near ones, in place of attention to all.

Huang et al., Interlaced Sparse Self-Attention, https://arxiv.org/abs/1907.12273.
N batch, K classes, C channels, H W pixels. The map is cut into G_h x G_w blocks of L_h x L_w.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule

from ...registry import MODELS
from ..layers import SelfAttentionBlock, extends
from .decode_head import BaseDecodeHead


class _Relation(SelfAttentionBlock):
    """Attention of a map to itself, then a 1x1 convolution. (N, C, H, W) -> the same."""

    def __init__(self, in_channels: int, channels: int, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None) -> None:
        cfgs = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        super().__init__(
            in_channels, in_channels, channels, in_channels, share_key_query=False,
            query_downsample=None, key_downsample=None, key_query_num_convs=2,
            value_out_num_convs=1, key_query_norm=True, value_out_norm=False, matmul_norm=True,
            with_out=False, **cfgs)
        self.output_project = ConvModule(in_channels, in_channels, 1, **cfgs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output_project(super().forward(x, x))


@MODELS.register_module()
class ISAHead(BaseDecodeHead):
    """Attention among pixels at the same place of their blocks, then within each block.

    Args:
        isa_channels: Channels of queries and keys.
        down_factor: (L_h, L_w). A map that they do not divide is padded with zeros all around,
            which take part in the attention.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, isa_channels: int, down_factor: tuple[int, int] = (8, 8),
                 **options) -> None:
        super().__init__(**options)
        self.down_factor = down_factor
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        relation = partial(_Relation, self.channels, isa_channels, **cfgs)
        self.in_conv = ConvModule(self.in_channels, self.channels, 3, padding=1, **cfgs)
        self.global_relation, self.local_relation = relation(), relation()
        self.out_conv = ConvModule(2 * self.channels, self.channels, 1, **cfgs)

    def _related(self, x: torch.Tensor) -> torch.Tensor:
        """Both relations. (N, C, H, W) -> the same, H and W being whole blocks."""
        local = self.down_factor
        blocks = x.shape[2] // local[0], x.shape[3] // local[1]
        x = x.unflatten(3, (blocks[1], local[1])).unflatten(2, (blocks[0], local[0]))
        x = x.permute(0, 3, 5, 1, 2, 4)  # N L_h L_w C G_h G_w
        x = self.global_relation(x.flatten(0, 2)).unflatten(0, x.shape[:3])
        x = x.permute(0, 4, 5, 3, 1, 2)  # N G_h G_w C L_h L_w
        x = self.local_relation(x.flatten(0, 2)).unflatten(0, x.shape[:3])
        return x.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the input level."""
        x = self.in_conv(self._transform_inputs(inputs))
        height, width = x.shape[2:]
        pad_h, pad_w = -height % self.down_factor[0], -width % self.down_factor[1]
        top, left = pad_h // 2, pad_w // 2
        related = self._related(F.pad(x, (left, pad_w - left, top, pad_h - top)))
        related = related[:, :, top:top + height, left:left + width]
        return self.cls_seg(self.out_conv(torch.cat([related, x], dim=1)))
