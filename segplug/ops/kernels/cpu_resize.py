"""A window of a resized image or label, to the byte what ``cv2.resize`` gives there.

Bilinearly, OpenCV works with weights of 11 bits: rows first, with 4 of the sum's bits dropped, then
columns, with 16 dropped from each product and two left for rounding (`VResizeLinear` for 8 bits).
"""

import numpy as np

from .jit import compiled


@compiled
def _line(row, low, high, left, right, channels, out):
    """A row of the source (bytes) at the columns of the window, in 16 bits."""
    if channels == 3:
        for i in range(low.size):
            a, b, p, q = 3 * low[i], 3 * high[i], left[i], right[i]
            out[3 * i] = (np.int32(row[a]) * p + np.int32(row[b]) * q) >> 4
            out[3 * i + 1] = (np.int32(row[a + 1]) * p + np.int32(row[b + 1]) * q) >> 4
            out[3 * i + 2] = (np.int32(row[a + 2]) * p + np.int32(row[b + 2]) * q) >> 4
        return
    for i in range(low.size):
        a, b, p, q = channels * low[i], channels * high[i], left[i], right[i]
        for c in range(channels):
            out[channels * i + c] = (np.int32(row[a + c]) * p + np.int32(row[b + c]) * q) >> 4


@compiled
def _window(source, rows, cols, channels, out):
    """``source`` (h, w C) -> ``out`` (H, W C), both uint8; a source row is expanded once."""
    low, high, upper, lower = rows
    lines = np.empty((2, out.shape[1]), np.int16)
    held = np.full(2, -1, np.int64)
    for y in range(out.shape[0]):
        first, second = low[y], high[y]
        for j in (first, second):
            if held[j & 1] != j:
                held[j & 1] = j
                _line(source[j], cols[0], cols[1], cols[2], cols[3], channels, lines[j & 1])
        top, bottom, line = lines[first & 1], lines[second & 1], out[y]
        p, q = np.int32(upper[y]), np.int32(lower[y])
        for x in range(line.size):
            line[x] = (((p * np.int32(top[x])) >> 16) + ((q * np.int32(bottom[x])) >> 16) + 2) >> 2


def window(source, rows, cols):
    """The pixels at ``rows`` and ``cols``.

    Args:
        source: (h, w) or (h, w, C) uint8, in rows of contiguous pixels.
        rows, cols: (low, high, weight of low, weight of high) of each row and column: cells of
            the source as int64, weights of sum 2048 as int32.

    Returns:
        (H, W) or (H, W, C) uint8.
    """
    channels = 1 if source.ndim == 2 else source.shape[2]
    out = np.empty((len(rows[0]), len(cols[0]), *source.shape[2:]), np.uint8)
    flat = np.lib.stride_tricks.as_strided(
        source, (source.shape[0], source.shape[1] * channels), (source.strides[0], 1))
    _window(flat, rows, cols, channels, out.reshape(out.shape[0], -1))
    return out


@compiled
def _nearest(source, rows, cols, out):
    """``source`` (h, w) -> ``out`` (H, W); a row that comes again is copied."""
    for y in range(rows.size):
        if y > 0 and rows[y] == rows[y - 1]:
            out[y] = out[y - 1]
            continue
        row, line = source[rows[y]], out[y]
        for x in range(cols.size):
            line[x] = row[cols[x]]


def nearest(source, rows, cols):
    """The values at ``rows`` and ``cols``.

    Args:
        source: (h, w) uint8 or uint16, in rows of contiguous pixels.
        rows, cols: (H,) and (W,) int64.

    Returns:
        (H, W) of the same type.
    """
    out = np.empty((len(rows), len(cols)), source.dtype)
    _nearest(source, rows, cols, out)
    return out
