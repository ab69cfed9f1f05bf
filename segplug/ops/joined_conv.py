"""A 3x3 convolution over maps of several sizes, as if all had been resized and joined before.

Resizing bilinearly and convolving are both linear: a map can be multiplied by the nine taps at
its own size, and the products be resized. A map of s x t cells then costs s t / (H W) of what it
costs when it is resized first. PSPNet and UPerNet spend half of their head that way. The sums run
in another order, so results agree to rounding.
N batch, C channels, O channels of the result, H W its size.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .resize import resize
from .sizes import is_known


def joined_conv(parts: Sequence[torch.Tensor], like: int, weight: torch.Tensor,
                bias: torch.Tensor | None, align_corners: bool) -> torch.Tensor:
    """Resize bilinearly, concatenate, convolve with padding 1; the small ones by the short way.

    Args:
        parts: Maps (N, C_i, h_i, w_i) float.
        like: Which of them has the size (H, W) that all are resized to.
        weight: (O, sum of C_i, 3, 3) float.
        bias: (O,) float, or None.
        align_corners: Of the resizing.

    Returns:
        (N, O, H, W).
    """
    size = tuple(parts[like].shape[2:])
    weights = weight.split([part.shape[1] for part in parts], dim=1)
    large, small = [], []
    for part, own in zip(parts, weights, strict=True):
        # Up to a quarter of the pixels the short way has been the faster one; a graph for any size
        # cannot choose.
        few = is_known(*size, *part.shape[2:]) \
            and 4 * part.shape[2] * part.shape[3] <= size[0] * size[1]
        (small if few else large).append((part, own))
    maps = [resize(part, size, mode='bilinear', align_corners=align_corners) for part, _ in large]
    out = F.conv2d(_cat(maps), _cat([own for _, own in large]), bias, padding=1)
    return out + _short_way(small, size, align_corners).to(out.dtype) if small else out


def _cat(tensors: list[torch.Tensor]) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim=1)


def _short_way(small: list[tuple[torch.Tensor, torch.Tensor]], size: tuple[int, int],
               align_corners: bool) -> torch.Tensor:
    """Maps, each with its weight, -> the sum (N, O, H, W) of their convolutions.

    A map is brought to the width W for each of the three rows of taps, (N, O, 3 h, W); for all
    maps together these are brought to the height H in one product.
    """
    wide, ups = [], []
    for part, weight in small:
        height, width = part.shape[2:]
        across = _interpolation(width, size[1], align_corners, part)
        columns = 0
        for b in range(3):
            taps = weight[..., b].transpose(1, 2).reshape(-1, weight.shape[1], 1, 1)
            columns = columns + F.conv2d(part, taps).to(across.dtype) @ across[b].T
        wide.append(columns.reshape(-1, 3 * height, size[1]))
        up = _interpolation(height, size[0], align_corners, part)
        ups.append(up.transpose(0, 1).reshape(size[0], -1))
    wide = _cat(wide)
    out = torch.bmm(_cat(ups).expand(wide.shape[0], -1, -1), wide)
    return out.reshape(small[0][0].shape[0], -1, *size)


def _interpolation(cells: int, pixels: int, align_corners: bool,
                   other: torch.Tensor) -> torch.Tensor:
    """(3, pixels, cells): what the pixel before, the pixel itself and the next take of a cell.

    Beyond the border they take nothing, which is the padding of the convolution.
    """
    eye = torch.eye(cells, device=other.device,
                    dtype=torch.promote_types(other.dtype, torch.float32))
    shares = resize(eye[None, :, :, None], (pixels, 1), mode='bilinear',
                    align_corners=align_corners)[0, :, :, 0].T
    padded = F.pad(shares, (0, 0, 1, 1))
    return torch.stack([padded[a:a + pixels] for a in range(3)])
