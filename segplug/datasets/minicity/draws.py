# Random draws that are the same on every machine and for every version of NumPy: integers only, one
# hash (splitmix64), no generator of a library and no float. A scene draws from a Stream; a texture
# reads the noise tile.

from functools import lru_cache

import numpy as np

_MASK = (1 << 64) - 1
TILE = 512  # side of the periodic noise tile, a power of two


def mix(value):
    """splitmix64 (Steele, Lea, Flood 2014): an int to a well mixed 64-bit int."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Stream:
    """A stream of draws that depends on its integer keys alone."""

    def __init__(self, *keys):
        self._state = 0
        for key in keys:
            self._state = mix(self._state ^ mix(key & _MASK))

    def bits(self):
        """31 random bits, so that a draw fits any integer array."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        return mix(self._state) >> 33

    def between(self, low, high):
        """An int in [low, high], both ends included."""
        return low + self.bits() % (high - low + 1)

    def chance(self, percent):
        return self.bits() % 100 < percent

    def pick(self, items):
        return items[self.bits() % len(items)]

    def jitter(self, colour, amount):
        """The RGB colour with each channel moved by at most `amount`, inside [0, 255]."""
        return tuple(min(255, max(0, c + self.between(-amount, amount))) for c in colour)


def hash_grid(rows, cols, seed):
    """Hash of lattice points: broadcastable integer arrays -> uint32 array."""
    value = rows.astype(np.uint32) * np.uint32(0x9E3779B1)
    value = value + cols.astype(np.uint32) * np.uint32(0x85EBCA77)
    value = value ^ np.uint32(seed & 0xFFFFFFFF)
    value = (value ^ (value >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    value = (value ^ (value >> np.uint32(12))) * np.uint32(0x297A2D39)
    return value ^ (value >> np.uint32(15))


def _octave(cells, seed):
    # bilinear value noise with `cells` periods per tile, (TILE, TILE) int32 in [0, 255]
    step = TILE // cells
    points = np.arange(cells, dtype=np.int32)
    lattice = (hash_grid(points[:, None], points[None, :], seed) & np.uint32(255)).astype(np.int32)
    index = np.arange(TILE, dtype=np.int32)
    low, part = index // step, index % step
    high = (low + 1) % cells
    rows = lattice[low] * (step - part)[:, None] + lattice[high] * part[:, None]
    return (rows[:, low] * (step - part) + rows[:, high] * part) // (step * step)


@lru_cache(maxsize=2)
def noise_tile(kind):
    """Periodic noise, flat (TILE * TILE,) int32 in [-128, 127]; kind 'cloud' (soft) or 'leaf'
    (rough)."""
    weights = {'cloud': {8: 6, 16: 5, 32: 3, 64: 2}, 'leaf': {16: 3, 64: 6, 128: 4, 256: 3}}[kind]
    total = sum(_octave(cells, cells) * weight for cells, weight in weights.items())
    stretched = (total // 16 - 128) * 3 // 2
    return np.clip(stretched, -128, 127).astype(np.int32).ravel()


def noise(kind, a, h, shift, seed=0):
    """Noise at integer coordinates a, h (broadcastable int32), one sample of the tile per 2**shift
    of them."""
    row = ((h >> shift) + (seed & (TILE - 1))) & (TILE - 1)
    col = ((a >> shift) + ((seed >> 9) & (TILE - 1))) & (TILE - 1)
    return np.take(noise_tile(kind), (row * TILE) + col)
