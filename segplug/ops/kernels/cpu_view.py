"""`ops.views.view` for CPUs, compiled by numba: from bytes to the network's input in one pass."""

import numpy as np
from torch import Tensor

from .. import memory
from ..geometry import axis
from ..views import Normalisation
from .jit import compiled, in_parallel


@compiled
def _line(pixels, low, high, weight, identity, out):
    """A row of the image (uint8), read at the columns of the result."""
    n = out.size
    if identity:
        for x in range(n):
            out[x] = pixels[low[0] + x]
        return
    for x in range(n):
        left = np.float32(pixels[low[x]])
        out[x] = left + weight[x] * (np.float32(pixels[high[x]]) - left)


@compiled
def _view_rows(img, rows, cols, identity, mean, std, y0, y1, valid_width, out):
    """Rows y0 to y1 of one channel: ``img`` (H, W) uint8 -> ``out`` (N, H', W')."""
    low, high, weight = rows
    lines = np.empty((2, valid_width), np.float32)
    held = np.full(2, -1, np.int64)
    for y in range(y0, y1):
        first = np.int64(low[y])
        second = np.int64(high[y]) if weight[y] != 0 else first
        for j in (first, second):
            if held[j & 1] != j:
                held[j & 1] = j
                _line(img[j], cols[0], cols[1], cols[2], identity, lines[j & 1])
        a, b, w = lines[first & 1], lines[second & 1], weight[y]
        straight = out[0, y, :valid_width]
        for x in range(valid_width):
            straight[x] = (a[x] + w * (b[x] - a[x]) - mean) / std
        if out.shape[0] == 2:
            mirrored = out[1, y, :valid_width]
            for x in range(valid_width):
                mirrored[x] = straight[valid_width - 1 - x]


def view(img: Tensor, size: tuple[int, int], target: tuple[int, int], flip: bool,
         normalisation: Normalisation) -> Tensor:
    """See `segplug.ops.views.view`; ``img`` is uint8 and on the CPU."""
    channels, height, width = img.shape
    out = memory.empty((2 if flip else 1, channels, *target))
    out[..., size[0]:, :] = normalisation.pad_val
    out[..., :size[0], size[1]:] = normalisation.pad_val
    row, col = axis(size[0], height, (0, height), height), axis(size[1], width, (0, width), width)
    rows, cols = ((a.low.numpy().astype(np.uint32), a.high.numpy().astype(np.uint32),
                   a.weight.numpy()) for a in (row, col))
    pixels, result = img.contiguous().numpy(), out.numpy()
    mean, std = (np.full(1, default, np.float32) if values is None else values.flatten().numpy()
                 for values, default in ((normalisation.mean, 0), (normalisation.std, 1)))

    def run(y0: int, y1: int) -> None:
        for c in range(channels):
            source = pixels[channels - 1 - c if normalisation.reverse else c]
            _view_rows(source, rows, cols, col.is_identity, mean[c % mean.size],
                       std[c % std.size], y0, y1, size[1], result[:, c])

    in_parallel(run, 0, size[0])
    return out
