"""The head of PSANet: each pixel says how much it takes from, and gives to, every other one.

Zhao et al., PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018,
https://hszhao.github.io/papers/eccv18_psanet.pdf. mmcv compiles the change of coordinates in it;
here it is plain torch. N batch, K classes, C channels, H W pixels, M_h M_w the mask's size.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from ...errors import ConfigError, ShapeError
from ...ops.resize import resize
from ...registry import MODELS
from ..layers import extends
from .decode_head import BaseDecodeHead


def psa_mask(attention: torch.Tensor, mask_size: tuple[int, int]) -> torch.Tensor:
    """What each pixel says of its surroundings -> what it says of each pixel (figure 4).

    Args:
        attention: (N, M_h M_w, H, W). Its mask entry (r, s) at pixel (i, j) speaks of pixel
            (i + r - (M_h - 1) // 2, j + s - (M_w - 1) // 2).
        mask_size: (M_h, M_w).

    Returns:
        (N, H W, H W): [n, p, q] is what pixel q says of pixel p; zero beyond the mask.
    """
    absolute = _absolute(attention.unflatten(1, tuple(mask_size)), entry=1, pixel=3)
    return _absolute(absolute, entry=2, pixel=4).flatten(3, 4).flatten(1, 2)


def _absolute(mask: torch.Tensor, entry: int, pixel: int) -> torch.Tensor:
    """Turn the dimension ``entry``, relative to that of ``pixel``, into an absolute one."""
    num, size = mask.shape[entry], mask.shape[pixel]
    before = size - 1 - (num - 1) // 2  # makes entry size - 1 the pixel itself; crops if negative
    padding = (before, 2 * size - 1 - num - before)
    mask = F.pad(mask, [0, 0] * (mask.dim() - 1 - entry) + list(padding))
    return torch.stack([one.narrow(entry, size - 1 - i, size)
                        for i, one in enumerate(mask.unbind(pixel))], dim=pixel)


@MODELS.register_module()
class PSAHead(BaseDecodeHead):
    """The input beside the features that its pixels collect from and distribute to each other.

    Args:
        mask_size: (M_h, M_w), how far a pixel speaks of others; twice a map's size less one
            reaches all of it.
        psa_type: 'collect', 'distribute' or 'bi-direction', which is both.
        compact: The masks speak of absolute pixels; only for maps of exactly ``mask_size``.
            As in the authors' code, 'distribute' then transposes them; mmsegmentation does that to
            'collect', unless it is one of 'bi-direction'.
        shrink_factor: Attention is at a map that is smaller by this factor.
        normalization_factor: Divides the sums; None stands for M_h M_w.
        psa_softmax: Whether the weights of what a pixel gets are a softmax.
        Others as for `BaseDecodeHead`.

    Raises:
        ConfigError: For an unknown ``psa_type``.
    """

    @extends(BaseDecodeHead)
    def __init__(self, mask_size: tuple[int, int], psa_type: str = 'bi-direction',
                 compact: bool = False, shrink_factor: int = 2,
                 normalization_factor: float | None = 1.0, psa_softmax: bool = True,
                 **options) -> None:
        super().__init__(**options)
        if psa_type not in ('collect', 'distribute', 'bi-direction'):
            raise ConfigError('A PSAHead has no such psa_type.', got=repr(psa_type),
                              expected="'collect', 'distribute' or 'bi-direction'",
                              culprit='psa_type')
        self.mask_size, self.psa_type, self.compact = tuple(mask_size), psa_type, compact
        self.shrink_factor, self.psa_softmax = shrink_factor, psa_softmax
        num_entries = mask_size[0] * mask_size[1]
        self.normalization_factor = normalization_factor or num_entries
        both = psa_type == 'bi-direction'
        conv = partial(ConvModule, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                       act_cfg=self.act_cfg)

        def attention() -> nn.Sequential:
            return nn.Sequential(conv(self.channels, self.channels, 1),
                                 nn.Conv2d(self.channels, num_entries, 1, bias=False))

        self.reduce = conv(self.in_channels, self.channels, 1)
        self.attention = attention()
        if both:
            self.reduce_p = conv(self.in_channels, self.channels, 1)
            self.attention_p = attention()
        # Published weights were trained with this padding around a 1x1 convolution.
        self.proj = conv((1 + both) * self.channels, self.in_channels, 1, padding=1)
        self.bottleneck = conv(2 * self.in_channels, self.channels, 3, padding=1)

    def _shrunk(self, size: tuple[int, int]) -> tuple[tuple[int, int], bool]:
        """The size of the map that attends, and ``align_corners`` on the ways there and back."""
        factor = self.shrink_factor
        if factor == 1:
            return size, self.align_corners
        if size[0] % factor and size[1] % factor:  # as in crops of 8 n + 1
            return ((size[0] - 1) // factor + 1, (size[1] - 1) // factor + 1), True
        return (max(size[0] // factor, 1), max(size[1] // factor, 1)), False

    def _attended(self, x: torch.Tensor, attention: nn.Module, distribute: bool) -> torch.Tensor:
        """(N, C, H, W) -> what each pixel gets from all of them, (N, C, H, W)."""
        size = x.shape[2:]
        weights = attention(x)  # (N, M_h M_w, H, W)
        if not self.compact:
            weights = psa_mask(weights, self.mask_size)
        elif tuple(size) == self.mask_size:
            weights = weights.flatten(2)
        else:
            raise ShapeError('Compact masks have the size of the map.', got=tuple(size),
                             expected=f'{self.mask_size}, the mask_size',
                             fix='set compact=False')
        if distribute:  # a column is what a pixel says; a receiver wants what is said of it
            weights = weights.transpose(1, 2)
        if self.psa_softmax:
            weights = weights.softmax(dim=1)
        return (x.flatten(2) @ weights / self.normalization_factor).unflatten(2, size)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Levels -> logits (N, K, H, W), at the size of the input level."""
        x = self._transform_inputs(inputs)
        size, align_corners = self._shrunk(x.shape[2:])
        ways = [(self.reduce, self.attention, self.psa_type == 'distribute')]
        if self.psa_type == 'bi-direction':
            ways.append((self.reduce_p, self.attention_p, True))
        out = torch.cat([
            self._attended(resize(reduce(x), size=size, mode='bilinear',
                                  align_corners=align_corners), attention, distribute)
            for reduce, attention, distribute in ways], dim=1)
        out = resize(self.proj(out), size=x.shape[2:], mode='bilinear',
                     align_corners=align_corners)
        return self.cls_seg(self.bottleneck(torch.cat([x, out], dim=1)))
