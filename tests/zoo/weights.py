"""Weights and images by a rule that needs no file: the same numbers wherever numpy is.

Every number is a mixed index (splitmix64), so it depends on no library's generator. Convolutions
keep the scale of what passes through them; the last norm of a residual block is small, so that
deep sums do not grow.
"""

import re
import zlib

import numpy as np


def uniform(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Float32 in [-1, 1), a function of the name and of each place in the shape."""
    state = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.uint64)
    with np.errstate(over='ignore'):
        state = (state + np.uint64(zlib.crc32(name.encode()) << 32)) \
            * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return ((state >> np.uint64(40)).astype(np.float32) / (1 << 23) - 1).reshape(shape)


def fill(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """State-dict names and shapes -> values."""
    return {name: _values(name, tuple(shape), shapes) for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...], shapes: dict) -> np.ndarray:
    drawn = uniform(name, shape)
    last = name.rsplit('.', 1)[-1]
    if last == 'num_batches_tracked':
        return np.zeros(shape, np.int64)
    if last == 'running_var':
        return 1 + 0.5 * drawn
    if len(shape) == 1 and last == 'weight':
        return (0.25 if _ends_a_block(name, shapes) else 1) * (1 + 0.2 * drawn)
    if len(shape) <= 1:
        return 0.1 * drawn
    fan_in = max(int(np.prod(shape[1:])), 1)
    return drawn * np.float32(np.sqrt(6 / fan_in))


def _ends_a_block(name: str, shapes: dict) -> bool:
    """Whether this is the last of the norms bn1, bn2 ... of a residual block."""
    found = re.fullmatch(r'(.*\.bn)(\d)\.weight', name)
    return bool(found) and int(found[2]) > 1 \
        and f'{found[1]}{int(found[2]) + 1}.weight' not in shapes


def image(shape: tuple[int, int, int, int]) -> np.ndarray:
    """(N, C, H, W) float32, smooth, about -2..2, as normalised photographs are."""
    coarse = uniform('image', (*shape[:2], shape[2] // 16 + 2, shape[3] // 16 + 2))
    for axis in (2, 3):
        place = np.arange(shape[axis], dtype=np.float32) / 16
        low = place.astype(np.int64)
        weight = (place - low).reshape([-1 if i == axis else 1 for i in range(4)])
        coarse = coarse.take(low, axis) * (1 - weight) + coarse.take(low + 1, axis) * weight
    return (2 * coarse + 0.1 * uniform('noise', shape)).astype(np.float32)
