"""The head of DMNet: depthwise filters of several sizes that each image makes for itself.

He et al., Dynamic Multi-Scale Filters for Semantic Segmentation, ICCV 2019.
N batch, K classes, C channels, H W pixels, S side of a filter.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, build_activation_layer, build_norm_layer
from torch import nn

from ...registry import MODELS
from ..layers import check_several, extends
from .decode_head import BaseDecodeHead


def dynamic_conv(x: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Each channel of each image under a filter of its own, zeros around the image.

    Args:
        x: (N, C, H, W) float.
        filters: (N, C, S, S) float. An even S looks one pixel further up and left.

    Returns:
        (N, C, H, W).
    """
    side = filters.shape[-1]
    before, after = side // 2, (side - 1) // 2
    planes = F.pad(x.flatten(0, 1)[None], (before, after, before, after))
    return _by_plane(planes, filters.flatten(0, 1).unsqueeze(1)).reshape(x.shape)


@torch.jit.script_if_tracing  # a trace would keep the number of groups, which is N C
def _by_plane(planes: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """(1, P, H, W) and (P, 1, S, S) float -> (1, P, H - S + 1, W - S + 1)."""
    return F.conv2d(planes, filters, groups=planes.shape[1])


class DCM(nn.Module):
    """`dynamic_conv` of the narrowed input, by filters that are its pooled input projected.

    Args:
        filter_size: S.
        fusion: Whether a 1x1 convolution ends the module.
        in_channels: C of the input.
        channels: C of the output.
        conv: Makes a `ConvModule` from channels in, channels out and kernel size.
        norm_cfg, act_cfg: Of what follows the filter.
    """

    def __init__(self, filter_size: int, fusion: bool, in_channels: int, channels: int,
                 conv: Callable[..., nn.Module], norm_cfg: dict | None, act_cfg: dict) -> None:
        super().__init__()
        self.filter_size = filter_size
        self.filter_gen_conv = nn.Conv2d(in_channels, channels, 1)
        self.input_redu_conv = conv(in_channels, channels, 1)
        self.norm = nn.Identity() if norm_cfg is None else build_norm_layer(norm_cfg, channels)[1]
        self.activate = build_activation_layer(act_cfg)
        self.fusion_conv = conv(channels, channels, 1) if fusion else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, channels, H, W)."""
        filters = self.filter_gen_conv(F.adaptive_avg_pool2d(x, self.filter_size))
        out = dynamic_conv(self.input_redu_conv(x), filters)
        return self.fusion_conv(self.activate(self.norm(out)))


@MODELS.register_module()
class DMHead(BaseDecodeHead):
    """The input beside one `DCM` per filter size, then a 3x3 convolution.

    Args:
        filter_sizes: S of each module.
        fusion: Whether each module ends in a 1x1 convolution.
        Others as for `BaseDecodeHead`.
    """

    @extends(BaseDecodeHead)
    def __init__(self, filter_sizes: Sequence[int] = (1, 3, 5, 7), fusion: bool = False,
                 **options) -> None:
        check_several('DMHead', filter_sizes=filter_sizes)
        super().__init__(**options)
        self.filter_sizes, self.fusion = filter_sizes, fusion
        conv = partial(ConvModule, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                       act_cfg=self.act_cfg)
        self.dcm_modules = nn.ModuleList(
            DCM(size, fusion, self.in_channels, self.channels, conv, self.norm_cfg, self.act_cfg)
            for size in filter_sizes)
        self.bottleneck = conv(self.in_channels + len(filter_sizes) * self.channels,
                               self.channels, 3, padding=1)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the input level."""
        x = self._transform_inputs(inputs)
        return self.cls_seg(self.bottleneck(
            torch.cat([x, *(module(x) for module in self.dcm_modules)], dim=1)))
