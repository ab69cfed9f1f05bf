"""Resizing of feature maps and logits: the only place that calls ``F.interpolate`` on them.

So `align_corners` has one meaning everywhere, and a map that already has its size is not
touched, which makes "resize to the label" free for heads that work at full resolution.
"""

import torch
import torch.nn.functional as F

from ..errors import ShapeError
from .sizes import is_known, whole


def resize(input: torch.Tensor, size: tuple[int, int] | None = None,
           scale_factor: float | tuple[float, float] | None = None, mode: str = 'nearest',
           align_corners: bool | None = None) -> torch.Tensor:
    """Resize ``input`` to ``size`` or by ``scale_factor``.

    Args:
        input: (N, C, H, W) float.
        size: (H, W) of the result; exactly one of ``size`` and ``scale_factor`` is given.
        scale_factor: Factor, or (factor of H, factor of W).
        mode: As in ``torch.nn.functional.interpolate``.
        align_corners: Whether the centres of the corner pixels, rather than their outer
            edges, lie upon each other. Only for 'bilinear' and 'bicubic'.

    Raises:
        ShapeError: If ``input`` is not (N, C, H, W).
    """
    if input.dim() != 4:
        raise ShapeError('resize takes a batch of feature maps.', got=tuple(input.shape),
                         expected='(N, C, H, W)')
    if size is not None:
        size = (whole(size[0]), whole(size[1]))
        if scale_factor is None and is_known(*size, *input.shape[2:]) \
                and size == tuple(input.shape[2:]):
            return input
    return F.interpolate(input, size, scale_factor, mode, align_corners)
