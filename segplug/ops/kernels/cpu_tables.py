"""Look-up of the bytes of an image, a table for each of three channels."""

import numpy as np

from .jit import compiled


@compiled
def _look_up(pixels, first, second, third, out):
    """``pixels`` (n,) of interleaved channels -> ``out`` (n,), both uint8."""
    for i in range(pixels.size // 3):
        out[3 * i] = first[pixels[3 * i]]
        out[3 * i + 1] = second[pixels[3 * i + 1]]
        out[3 * i + 2] = third[pixels[3 * i + 2]]


def look_up(img: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8, contiguous, through ``tables`` (3, 256) uint8; a new array."""
    out = np.empty_like(img)
    _look_up(img.reshape(-1), tables[0], tables[1], tables[2], out.reshape(-1))
    return out
