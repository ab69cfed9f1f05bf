"""Functions of one byte, applied to every byte of an image: by table, or by equal arithmetic.

A look-up reads one byte at a time; an addition and a product of OpenCV's handle 32 or more at
once. Where both give the same for all 256 values, the arithmetic is taken.
"""

import math

import cv2
import numpy as np

from . import kernels

VALUES = np.arange(256, dtype=np.uint8)
_HALF = 0.4998  # less than one half, so that rounding to the nearest rounds down


def linear_table(alpha: float = 1., beta: float = 0.) -> np.ndarray:
    """(256,) uint8: alpha * value + beta in float32, clipped to 0..255 and rounded down."""
    return np.clip(VALUES.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def add(img: np.ndarray, beta: float) -> np.ndarray:
    """uint8 ``img`` of up to four channels through ``linear_table(beta=beta)``."""
    table, shift = linear_table(beta=beta), math.floor(beta)
    if not np.array_equal(table, np.clip(VALUES.astype(int) + shift, 0, 255)):
        return cv2.LUT(img, table)
    # With a negative number cv2.add would go through 16 bits.
    step = cv2.add if shift >= 0 else cv2.subtract
    return step(img, (abs(shift),) * 4)


def scale(img: np.ndarray, alpha: float) -> np.ndarray:
    """uint8 ``img`` through ``linear_table(alpha)``; ``alpha`` is not negative."""
    table = linear_table(alpha)
    exact = VALUES * float(np.float32(alpha))
    same = np.array_equal(table, np.minimum(np.floor(exact), 255))
    # convertScaleAbs rounds alpha * value - 0.4998 to the nearest, in float32, whose error here is
    # below 4e-5. It rounds down unless a product lies just below a whole number.
    if same and (exact % 1).max() < 0.5 + _HALF - 1e-4:
        return cv2.convertScaleAbs(img, alpha=alpha, beta=-_HALF)
    return cv2.LUT(img, table)


def look_up(img: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 through ``tables`` (3, 256) uint8, one for each channel; a new array."""
    compiled = kernels.channel_tables()
    if compiled is not None and img.flags.c_contiguous:
        return compiled(img, tables)
    return cv2.LUT(img, np.ascontiguousarray(tables.T)[None])
