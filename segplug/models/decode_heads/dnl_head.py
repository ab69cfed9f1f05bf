"""Disentangled non-local networks: what a pixel looks at, apart from what all look at.

Yin et al., https://arxiv.org/abs/2006.06668, equation 8.
"""

import torch
from mmcv.cnn import NonLocal2d
from torch import nn

from ...registry import MODELS
from ..layers import attend, extends
from .fcn_head import FCNHead
from .nl_head import check_mode


class DisentangledNonLocal2d(NonLocal2d):
    """A whitened pairwise term plus a unary term, over common values.

    The pairwise term is of queries and keys less their mean over the pixels, the unary term
    weighs the pixels alike for every query. Unlike in mmsegmentation the mode 'gaussian', where
    queries and keys are the input itself, leaves the input as it is.

    Args:
        temperature: Divides the products before the softmax of 'embedded_gaussian'.
        Others as for ``mmcv.cnn.NonLocal2d``.
    """

    def __init__(self, in_channels: int, *, temperature: float, reduction: int = 2,
                 use_scale: bool = True, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = None, mode: str = 'embedded_gaussian') -> None:
        super().__init__(in_channels, reduction=reduction, use_scale=use_scale,
                         conv_cfg=conv_cfg, norm_cfg=norm_cfg, mode=mode)
        self.temperature = temperature
        self.conv_mask = nn.Conv2d(in_channels, 1, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) float -> the same shape."""
        value = self.g(x)
        attention = self.conv_mask(x).flatten(2).softmax(dim=-1)
        unary = (attention @ value.flatten(2).transpose(1, 2)).transpose(1, 2).unsqueeze(-1)
        return x + self.conv_out(self._pairwise(x, value) + unary)

    def _pairwise(self, x: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W), values (N, c, H, W) -> (N, c, H, W)."""
        pair = (x, x) if self.mode == 'gaussian' else (self.theta(x), self.phi(x))
        query, key = (part - part.mean(dim=(2, 3), keepdim=True) for part in pair)
        if self.mode == 'embedded_gaussian':
            scale = self.inter_channels ** -0.5 if self.use_scale else 1.0
            return attend(query, key, value, scale / self.temperature)
        weight = getattr(self, self.mode)(query.flatten(2).transpose(1, 2), key.flatten(2))
        return (value.flatten(2) @ weight.transpose(1, 2)).view_as(value)


@MODELS.register_module()
class DNLHead(FCNHead):
    """An `FCNHead` of two convolutions with a disentangled non-local block between them.

    Args:
        temperature: See `DisentangledNonLocal2d`.
        Others as for `NLHead`.
    """

    @extends(FCNHead, without=('num_convs',))
    def __init__(self, reduction: int = 2, use_scale: bool = True,
                 mode: str = 'embedded_gaussian', temperature: float = 0.05, **options) -> None:
        check_mode(mode)
        super().__init__(num_convs=2, **options)
        self.reduction, self.use_scale = reduction, use_scale
        self.mode, self.temperature = mode, temperature
        self.dnl_block = DisentangledNonLocal2d(
            self.channels, temperature=temperature, reduction=reduction, use_scale=use_scale,
            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, mode=mode)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        return self.convs[1](self.dnl_block(self.convs[0](x)))
