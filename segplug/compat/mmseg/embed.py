"""``mmseg.models.utils.embed``: patches of a map as a sequence, and merging of neighbours.

Dosovitskiy et al., https://arxiv.org/abs/2010.11929; Liu et al., https://arxiv.org/abs/2103.14030.
N batch, C channels, L = H W entries of a sequence.
"""

import torch
import torch.nn.functional as F
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from torch import nn

from ...errors import ConfigError, ShapeError

_Pair = tuple[int, int]


class AdaptivePadding(nn.Module):
    """Zeros around a map, so many that windows cover all of it.

    Args:
        kernel_size, stride, dilation: Of the windows, a number or one for each axis.
        padding: 'corner' pads at the right and below, 'same' around.

    Raises:
        ConfigError: For another padding.
    """

    def __init__(self, kernel_size: int | _Pair = 1, stride: int | _Pair = 1,
                 dilation: int | _Pair = 1, padding: str = 'corner') -> None:
        super().__init__()
        if padding not in ('same', 'corner'):
            raise ConfigError('AdaptivePadding has no such padding.', got=repr(padding),
                              expected="'same' or 'corner'", culprit='padding')
        self.padding = padding
        self.kernel_size, self.stride = to_2tuple(kernel_size), to_2tuple(stride)
        self.dilation = to_2tuple(dilation)

    def get_pad_shape(self, input_shape: _Pair) -> _Pair:
        """(H, W) -> rows and columns that are added."""
        return tuple(
            max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
            for size, kernel, stride, dilation in zip(
                input_shape, self.kernel_size, self.stride, self.dilation, strict=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> the padded map."""
        rows, cols = self.get_pad_shape(x.shape[-2:])
        top, left = (rows // 2, cols // 2) if self.padding == 'same' else (0, 0)
        return F.pad(x, (left, cols - left, top, rows - top)) if rows or cols else x


def _windows(kernel_size, stride, padding, dilation) -> tuple[nn.Module | None, dict]:
    """The padding layer, if ``padding`` names one, and the arguments of what slides."""
    sizes = dict(kernel_size=to_2tuple(kernel_size), stride=to_2tuple(stride or kernel_size),
                 dilation=to_2tuple(dilation))
    if isinstance(padding, str):
        return AdaptivePadding(padding=padding, **sizes), dict(sizes, padding=(0, 0))
    return None, dict(sizes, padding=to_2tuple(padding))


def _num_windows(size: _Pair, sizes: dict) -> _Pair:
    """How many windows fit into each axis of a map."""
    return tuple((length + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
                 for length, pad, dilation, kernel, stride in zip(
                     size, sizes['padding'], sizes['dilation'], sizes['kernel_size'],
                     sizes['stride'], strict=True))


class PatchEmbed(BaseModule):
    """A map as the sequence of its convolved patches.

    Args:
        in_channels: C of the map.
        embed_dims: Length of an entry.
        conv_type: mmcv's name of the convolution.
        kernel_size, stride, dilation: Of the convolution; ``stride`` is ``kernel_size`` if None.
        padding: Of the convolution, or the padding of `AdaptivePadding`.
        bias: Whether the convolution has one.
        norm_cfg: Norm of the entries; None for none.
        input_size: (H, W) that maps will have; the attribute ``init_out_size`` then tells the
            number of patches along each axis.
        init_cfg: mmengine's initialisation.
    """

    def __init__(self, in_channels: int = 3, embed_dims: int = 768, conv_type: str = 'Conv2d',
                 kernel_size: int | _Pair = 16, stride: int | _Pair | None = None,
                 padding: int | _Pair | str = 'corner', dilation: int | _Pair = 1,
                 bias: bool = True, norm_cfg: dict | None = None,
                 input_size: int | _Pair | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        self.embed_dims = embed_dims
        self.adap_padding, sizes = _windows(kernel_size, stride, padding, dilation)
        self.projection = build_conv_layer(dict(type=conv_type), in_channels, embed_dims,
                                           bias=bias, **sizes)
        self.norm = build_norm_layer(norm_cfg, embed_dims)[1] if norm_cfg else None
        self.init_input_size = self.init_out_size = None
        if input_size:
            self.init_input_size = size = to_2tuple(input_size)
            if self.adap_padding:
                added = self.adap_padding.get_pad_shape(size)
                size = (size[0] + added[0], size[1] + added[1])
            self.init_out_size = _num_windows(size, sizes)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, _Pair]:
        """(N, C, H, W) -> (N, L, embed_dims), and the number of patches along H and W."""
        x = self.projection(self.adap_padding(x) if self.adap_padding else x)
        size = (x.shape[2], x.shape[3])
        x = x.flatten(2).transpose(1, 2)
        return (x if self.norm is None else self.norm(x)), size


class PatchMerging(BaseModule):
    """Neighbouring entries of a sequence joined into one.

    Args:
        in_channels, out_channels: Length of an entry before and after.
        kernel_size, stride, padding, dilation: Which are neighbours, as for `PatchEmbed`.
        bias: Whether the last layer has one.
        norm_cfg: Norm of the joined entries; None for none.
        init_cfg: mmengine's initialisation.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | _Pair = 2,
                 stride: int | _Pair | None = None, padding: int | _Pair | str = 'corner',
                 dilation: int | _Pair = 1, bias: bool = False,
                 norm_cfg: dict | None = dict(type='LN'),
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.adap_padding, self._sizes = _windows(kernel_size, stride, padding, dilation)
        self.sampler = nn.Unfold(**self._sizes)
        joined = self._sizes['kernel_size'][0] * self._sizes['kernel_size'][1] * in_channels
        self.norm = build_norm_layer(norm_cfg, joined)[1] if norm_cfg else None
        self.reduction = nn.Linear(joined, out_channels, bias=bias)

    def forward(self, x: torch.Tensor, input_size: _Pair) -> tuple[torch.Tensor, _Pair]:
        """(N, L, in_channels) and (H, W) -> (N, L', out_channels), and their places on H and W.

        Raises:
            ShapeError: If L is not H W.
        """
        if not isinstance(input_size, (tuple, list)) or x.shape[1] != input_size[0] * input_size[1]:
            raise ShapeError('A sequence does not fit its map.', got=tuple(x.shape),
                             expected=f'(N, H W, C) with (H, W) = {input_size}')
        x = x.transpose(1, 2).unflatten(2, tuple(input_size))
        x = self.adap_padding(x) if self.adap_padding else x
        size = _num_windows(tuple(x.shape[2:]), self._sizes)
        x = self.sampler(x).transpose(1, 2)
        return self.reduction(x if self.norm is None else self.norm(x)), size
