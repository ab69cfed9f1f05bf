"""Reading feature maps at points between their pixels, in plain torch."""

import torch
import torch.nn.functional as F


def point_sample(feats: torch.Tensor, points: torch.Tensor, mode: str = 'bilinear',
                 padding_mode: str = 'zeros', align_corners: bool = False) -> torch.Tensor:
    """Values of a map at points.

    Args:
        feats: (N, C, H, W) float.
        points: (N, P, 2) float, (x, y) in [0, 1]: the edges of the map, or the centres of its
            corner pixels with ``align_corners``.
        mode: 'bilinear' or 'nearest'.
        padding_mode: What lies outside: 'zeros', or the 'border'.

    Returns:
        (N, C, P), of the dtype of ``feats``.
    """
    # Half precision is too coarse for places in a map.
    dtype = torch.promote_types(feats.dtype, torch.float32)
    return F.grid_sample(feats.to(dtype), 2 * points.to(dtype).unsqueeze(2) - 1, mode,
                         padding_mode, align_corners).squeeze(3).to(feats.dtype)
