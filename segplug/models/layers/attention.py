"""Attention between the pixels of one map and the entries of another, as the heads share it.

Vaswani et al., https://arxiv.org/abs/1706.03762; Wang et al., https://arxiv.org/abs/1711.07971.
The weights of all pairs, (H W)^2 of them, are left to torch's fused kernels, which need not keep
them. N batch, C channels, S entries that are attended to.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError
from ...ops.sizes import is_known


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
           scale: float = 1.0) -> torch.Tensor:
    """Each place of ``query`` gets softmax(scale * query . key) over the entries, times value.

    Args:
        query: (N, C, *size) float.
        key: (N, C, *) float, of S entries.
        value: (N, V, *) float, of the same S entries.
        scale: Of the products, before the softmax.

    Returns:
        (N, V, *size).
    """
    # One "head" of attention; the fused kernels want contiguous channels.
    q, k, v = (x.flatten(2).transpose(1, 2).contiguous().unsqueeze(1)
               for x in (query, key, value))
    out = F.scaled_dot_product_attention(q, k, v, scale=scale)
    out = out.squeeze(1).transpose(1, 2).reshape(*value.shape[:2], *query.shape[2:])
    # Strides like these let the next convolution ask whether N is 1, which a graph cannot tell.
    return out if is_known(*query.shape) else out.contiguous()


def full_precision(x: torch.Tensor) -> AbstractContextManager:
    """No autocast on the device of ``x``, for sums that need the digits of float32."""
    kind = x.device.type
    return (torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind)
            else nullcontext())


class SelfAttentionBlock(nn.Module):
    """Projections by 1x1 convolutions, `attend`, and possibly a last projection.

    Args:
        key_in_channels: Channels of what is attended to; keys and values come from it.
        query_in_channels: Channels of what attends.
        channels: Channels of queries and keys; of the values too if ``with_out``.
        out_channels: Channels of the result.
        share_key_query: One projection for queries and keys.
        query_downsample: Applied to the queries, or None; the result has their size.
        key_downsample: Applied to keys and values, to (N, C, *), or None.
        key_query_num_convs: Convolutions in each projection of queries and keys.
        value_out_num_convs: The same for values and result.
        key_query_norm: Whether the convolutions of queries and keys have norm and activation.
        value_out_norm: The same for values and result.
        matmul_norm: Divide the products by the root of ``channels``.
        with_out: Whether the result is projected; a single convolution for it starts at zero.
        conv_cfg, norm_cfg, act_cfg: As everywhere in mmcv.

    Raises:
        ConfigError: If queries and keys share a projection and differ in channels.
    """

    def __init__(self, key_in_channels: int, query_in_channels: int, channels: int,
                 out_channels: int, share_key_query: bool, query_downsample: nn.Module | None,
                 key_downsample: nn.Module | None, key_query_num_convs: int,
                 value_out_num_convs: int, key_query_norm: bool, value_out_norm: bool,
                 matmul_norm: bool, with_out: bool, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__()
        if share_key_query and key_in_channels != query_in_channels:
            raise ConfigError(
                'Queries and keys that share a projection need equal channels.',
                got=f'key_in_channels={key_in_channels}, query_in_channels={query_in_channels}',
                fix='set share_key_query=False', culprit='share_key_query')
        self.key_in_channels, self.query_in_channels = key_in_channels, query_in_channels
        self.channels, self.out_channels = channels, out_channels
        self.share_key_query, self.matmul_norm = share_key_query, matmul_norm
        cfgs = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        key_query = (channels, key_query_num_convs, key_query_norm, cfgs)
        self.key_project = _projection(key_in_channels, *key_query)
        self.query_project = (self.key_project if share_key_query
                              else _projection(query_in_channels, *key_query))
        self.value_project = _projection(key_in_channels, channels if with_out else out_channels,
                                         value_out_num_convs, value_out_norm, cfgs)
        self.out_project = (_projection(channels, out_channels, value_out_num_convs,
                                        value_out_norm, cfgs) if with_out else None)
        self.query_downsample, self.key_downsample = query_downsample, key_downsample
        self.init_weights()

    def init_weights(self) -> None:
        """Start a block that is added to its input as nothing."""
        if isinstance(self.out_project, nn.Conv2d):
            nn.init.zeros_(self.out_project.weight)
            nn.init.zeros_(self.out_project.bias)

    def forward(self, query_feats: torch.Tensor, key_feats: torch.Tensor) -> torch.Tensor:
        """(N, query_in_channels, H, W), (N, key_in_channels, h, w) -> (N, out_channels, H, W)."""
        query = self.query_project(query_feats)
        if self.query_downsample is not None:
            query = self.query_downsample(query)
        key, value = self.key_project(key_feats), self.value_project(key_feats)
        if self.key_downsample is not None:
            key, value = self.key_downsample(key), self.key_downsample(value)
        context = attend(query, key, value,
                         scale=self.channels ** -0.5 if self.matmul_norm else 1.0)
        return context if self.out_project is None else self.out_project(context)


def _projection(in_channels: int, channels: int, num_convs: int, with_norm: bool,
                cfgs: dict) -> nn.Module:
    """``num_convs`` 1x1 convolutions; a single one stands without a Sequential around it."""
    widths = [in_channels] + [channels] * (num_convs - 1)
    convs = [ConvModule(width, channels, 1, **cfgs) if with_norm else nn.Conv2d(width, channels, 1)
             for width in widths]
    return convs[0] if len(convs) == 1 else nn.Sequential(*convs)
