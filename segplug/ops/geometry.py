"""Which place of a logit map belongs to which pixel of the original image.

Resizing, padding and sliding windows are all one affine map per axis; `axis` states it and
`sample` reads the logits through it, in one bilinear step. Pixels of the original image are
its output, whatever the network saw. A `Layer` is the logits of one augmentation with their maps.
Letters: N batch, M maps, K classes, H W pixels, h w cells of the logit map.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from .resize import resize


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """(H, W) times ``scale``, rounded as mmcv's `imrescale` rounds, at least 1."""
    return tuple(max(int(x * float(scale) + 0.5), 1) for x in size)


def unflip(x: Tensor, direction: str | None) -> Tensor:
    """Undo a mirror image of (..., H, W); direction as `META_KEYS` has it."""
    dims = {None: (), 'horizontal': (-1,), 'vertical': (-2,), 'diagonal': (-2, -1)}[direction]
    return x.flip(dims) if dims else x


def unpad(x: Tensor, valid: tuple[int, int]) -> Tensor:
    """The top left (H, W) of (..., H', W'): padding is always at the right and the bottom."""
    return x[..., :valid[0], :valid[1]]


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of the map from output pixels to logit cells.

    Attributes:
        start: First output pixel that the logits cover.
        stop: One past the last.
        low: (stop - start,) int64, the nearer cell before each pixel.
        high: (stop - start,) int64, the cell after it.
        weight: (stop - start,) float32 in [0, 1], share of ``high``.
        plain: Whether this is what a resize of all cells to stop - start pixels does.
        is_identity: Whether each pixel is one cell, in order.
        align_corners: As it was made with.
    """

    start: int
    stop: int
    low: Tensor
    high: Tensor
    weight: Tensor
    plain: bool
    is_identity: bool = False
    align_corners: bool = False

    def __len__(self) -> int:
        return self.stop - self.start


def axis(out_size: int, in_size: int, span: tuple[int, int], cells: int, *,
         align_corners: bool = False, device='cpu') -> Axis:
    """Map output pixels to the cells of a window.

    Args:
        out_size: Pixels of the output axis.
        in_size: Pixels of the network input that show the output axis (without padding).
        span: (first, one past last) pixel of the network input that the logits cover; it may
            reach into padding beyond ``in_size``.
        cells: Length of the logits along this axis.
        align_corners: How the head resizes: whether the first and last cells lie on the
            centres of the first and last pixels.

    Returns:
        The map; output pixels whose centre lies outside of the span are left out.
    """
    first, last = span
    pixel = torch.arange(out_size, dtype=torch.float64)
    if align_corners:
        place = pixel * (in_size - 1) / max(out_size - 1, 1)
        centre = place + 0.5
        source = (place - first) * (cells - 1) / max(last - first - 1, 1)
    else:
        centre = (2 * pixel + 1) * in_size / (2 * out_size)
        source = (centre - first) * cells / (last - first) - 0.5
    covered = torch.nonzero((centre >= first) & (centre < last)).flatten()
    start = int(covered[0]) if len(covered) else 0
    stop = start + len(covered)
    source = source[start:stop].clamp(0, cells - 1)
    low = source.floor().long()
    whole = first == 0 and last == in_size
    plain = whole or (in_size == out_size and last <= in_size)
    weight = (source - low).float()
    is_identity = not weight.any() and bool((low.diff() == 1).all())
    return Axis(start, stop, low.to(device), (low + 1).clamp(max=cells - 1).to(device),
                weight.to(device), plain, is_identity, align_corners)


def sample(logits: Tensor, rows: Axis, cols: Axis, band: slice = slice(None)) -> Tensor:
    """Read logits at output pixels, bilinearly, in one step.

    Args:
        logits: (N, K, h, w) float.
        rows: Map of the rows.
        cols: Map of the columns.
        band: The part of ``rows`` that is wanted, counted from ``rows.start``.

    Returns:
        (N, K, rows of the band, len(cols)) float.
    """
    low, high = rows.low[band], rows.high[band]
    if len(rows) != logits.shape[2] or not rows.plain:
        weight = rows.weight[band].to(logits.dtype)[:, None]
        logits = torch.lerp(logits.index_select(2, low), logits.index_select(2, high), weight)
    else:
        logits = logits[:, :, band]
    if cols.plain:
        if len(cols) == logits.shape[3]:
            return logits
        size = (logits.shape[2], len(cols))
        return resize(logits, size=size, mode='bilinear', align_corners=cols.align_corners)
    return torch.lerp(logits.index_select(3, cols.low), logits.index_select(3, cols.high),
                      cols.weight.to(logits.dtype))


@dataclass(frozen=True, eq=False)
class Axes:
    """The windows along one axis.

    Attributes:
        windows: Their maps, in order of their places.
        share: (output pixels,) float32: one over the number of windows that cover each.
    """

    windows: tuple[Axis, ...]
    share: Tensor


@lru_cache(maxsize=256)
def axes(out_size: int, in_size: int, spans: tuple[tuple[int, int], ...], cells: int, *,
         align_corners: bool = False, device: str | torch.device = 'cpu') -> Axes:
    """`axis` for each of ``spans``; kept, since images of one size share them."""
    found = tuple(axis(out_size, in_size, span, cells, align_corners=align_corners, device=device)
                  for span in spans)
    count = torch.zeros(out_size)
    for window in found:
        count[window.start:window.stop] += 1
    return Axes(found, (1 / count).to(device))


@dataclass(frozen=True)
class Layer:
    """Logits of one augmentation, or of some of its windows, and where they lie on the result.

    Attributes:
        tiles: S rows of C windows, each (M, K, h, w) float32; the M maps are an image and, if it
            was tested, its mirror image, or one of the two.
        mirrored: M flags: which of the maps are of the mirror image.
        rows: The maps of the S rows of windows.
        cols: The maps of the C windows in a row, in the frame of the unmirrored image.
        row_share: (H,) float32: one over the number of windows above each other at a row.
        col_share: (W,) float32, alike.
    """

    tiles: list[list[Tensor]]
    mirrored: tuple[bool, ...]
    rows: tuple[Axis, ...]
    cols: tuple[Axis, ...]
    row_share: Tensor
    col_share: Tensor

    def single(self, m: int) -> 'Layer':
        """Map ``m`` alone, in its own frame."""
        return replace(self, tiles=[[tile[m:m + 1] for tile in row] for row in self.tiles],
                       mirrored=(False,))
