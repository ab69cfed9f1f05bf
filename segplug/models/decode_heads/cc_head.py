"""Criss-cross attention: every pixel looks at its row and its column; twice, at all of them.

Huang et al., https://arxiv.org/abs/1811.11721. N batch, C channels, H W pixels.
"""

import torch
from mmcv.cnn import Scale
from torch import nn

from ...registry import MODELS
from ..layers import extends
from .fcn_head import FCNHead


def criss_cross(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attention of each pixel over its H + W - 1 neighbours in column and row, itself once.

    Args:
        query, key: (N, C, H, W) float.
        value: (N, V, H, W) float.

    Returns:
        (N, V, H, W).
    """
    height = query.shape[2]
    own = torch.eye(height, dtype=torch.bool, device=query.device)[:, None]
    column = torch.einsum('nchw,nciw->nhwi', query, key).masked_fill(own, float('-inf'))
    row = torch.einsum('nchw,nchj->nhwj', query, key)
    weight = torch.cat([column, row], dim=-1).softmax(dim=-1)
    return (torch.einsum('nhwi,nciw->nchw', weight[..., :height], value)
            + torch.einsum('nhwj,nchj->nchw', weight[..., height:], value))


class CrissCrossAttention(nn.Module):
    """`criss_cross` of three projections, added to the input; it starts as nothing.

    Args:
        in_channels: C; queries and keys have an eighth, at least one.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(in_channels, max(in_channels // 8, 1), 1)
        self.key_conv = nn.Conv2d(in_channels, max(in_channels // 8, 1), 1)
        self.value_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.gamma = Scale(0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        return x + self.gamma(
            criss_cross(self.query_conv(x), self.key_conv(x), self.value_conv(x)))


@MODELS.register_module()
class CCHead(FCNHead):
    """An `FCNHead` of two convolutions with recurrent criss-cross attention between them.

    Args:
        recurrence: How often the attention, with the same weights, is applied.
        Others as for `FCNHead`.
    """

    @extends(FCNHead, without=('num_convs',))
    def __init__(self, recurrence: int = 2, **options) -> None:
        super().__init__(num_convs=2, **options)
        self.recurrence = recurrence
        self.cca = CrissCrossAttention(self.channels)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        x = self.convs[0](x)
        for _ in range(self.recurrence):
            x = self.cca(x)
        return self.convs[1](x)
