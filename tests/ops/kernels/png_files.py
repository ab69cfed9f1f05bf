"""PNG files written by hand: any filter a row, any chunks in any order.

Filters as the specification defines them (third edition, 9.2 to 9.4), a byte at a time.
"""

import struct
import zlib

import numpy as np

SIGNATURE = b'\x89PNG\r\n\x1a\n'
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


def header(width: int, height: int, colour: int = GRAY, bits: int = 8,
           methods: tuple = (0, 0, 0)) -> bytes:
    return chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, colour, *methods))


def filtered(pixels: np.ndarray, filters) -> bytes:
    """(H, W) or (H, W, C) uint8 or big-endian uint16 -> the bytes that are compressed."""
    step = pixels.dtype.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
    rows = np.frombuffer(pixels.tobytes(), np.uint8).reshape(len(pixels), -1).astype(int)
    lines, above = [], np.zeros(rows.shape[1], int)
    for row, kind in zip(rows, filters, strict=True):
        left, corner = (np.concatenate([np.zeros(step, int), x[:-step]]) for x in (row, above))
        lines.append(bytes([kind, *((row - predicted(kind, left, above, corner)) % 256)]))
        above = row
    return b''.join(lines)


def predicted(kind: int, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """What a filter subtracts, of the bytes left, above and left above."""
    if kind == 4:
        p = a + b - c
        to_a, to_b, to_c = abs(p - a), abs(p - b), abs(p - c)
        return np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    return [0 * a, a, b, (a + b) // 2][kind]


def png(pixels: np.ndarray, colour: int, filters=None, before: bytes = b'', after: bytes = b'',
        num_parts: int = 1, stream: bytes | None = None, level: int = 6) -> bytes:
    """A whole file.

    Args:
        pixels: See `filtered`.
        colour: The colour type.
        filters: One a row; all 0 by default.
        before, after: Chunks before the first and after the last IDAT.
        num_parts: How many IDAT the stream is cut into; empty ones where it is too short.
        stream: What the IDAT hold, where it is not the compressed pixels.
        level: Of zlib.
    """
    height, width = pixels.shape[:2]
    if stream is None:
        stream = zlib.compress(filtered(pixels, filters or [0] * height), level)
    edges = [len(stream) * i // num_parts for i in range(num_parts + 1)]
    parts = b''.join(chunk(b'IDAT', stream[a:b])
                     for a, b in zip(edges[:-1], edges[1:], strict=True))
    return SIGNATURE + header(width, height, colour, 8 * pixels.dtype.itemsize) + before + parts \
        + after + chunk(b'IEND', b'')
