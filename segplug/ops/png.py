"""Plain PNG files decoded several times as fast as by libpng, to the same bits.

Most of the time of reading a data set in PNG is inflating and undoing row filters. Here ISA-L
(the optional package ``isal``) inflates and a compiled kernel undoes the filters, a few rows at a
time, while they are in the nearest caches. Only whole, flawless files of the common kinds are
decoded; None says that the caller's decoder has to look at a file, and to name what is wrong.
Source: PNG specification, third edition. Letters: C channels, H W pixels.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from . import kernels

_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_GRAY, _RGB, _PALETTE, _RGBA = 0, 2, 3, 6
# (colour type, bits) -> bytes a pixel
_BYTES = {(_GRAY, 8): 1, (_GRAY, 16): 2, (_RGB, 8): 3, (_PALETTE, 8): 1, (_RGBA, 8): 4}
# Chunks that no decoder lets change a value, with their lengths. eXIf may turn an image, tRNS
# adds a channel, text may hide either.
_IDLE = {b'gAMA': {4}, b'cHRM': {32}, b'sRGB': {1}, b'pHYs': {9}, b'tIME': {7},
         b'sBIT': {1, 3, 4}, b'bKGD': {1, 2, 6}}
_HIDES_MORE = (b'raw profile', b'xml')
_LARGEST_TEXT = 1 << 16  # bytes; decoders differ in what they refuse
_LARGEST = 1 << 26  # pixels; from about here on other decoders warn or refuse
_SMALLEST = 1 << 14  # bytes of pixels; below, loading the kernel is never earned back
_BLOCK = 1 << 18  # bytes inflated before their filters are undone; they stay in the second cache


class _Plain(NamedTuple):
    """What `_parse` finds in a file."""

    height: int
    width: int
    colour: int
    bits: int
    parts: list[memoryview]  # of the compressed stream


def decode_png(data: bytes, flag: str = 'color', backend: str = 'cv2',
               num_rows: int | None = None) -> np.ndarray | None:
    """Pixels of a PNG file as ``mmcv.imfrombytes(data, flag, backend=backend)`` gives them.

    Args:
        data: The whole file.
        flag: 'color', 'color_ignore_orientation' or 'unchanged'; for others None comes back.
        backend: 'cv2' or 'pillow'; they differ in what 'unchanged' makes of a palette.
        num_rows: At least 1: decode rows 0 to ``num_rows`` - 1 only, without a look at what the
            compressed stream says of the others.

    Returns:
        (H, W, 3) uint8 BGR. 'unchanged' gives (H, W) uint8 or uint16 for gray, (H, W) uint8
        for a palette's indices (Pillow), (H, W, 4) uint8 BGRA for RGBA. None where the file is
        small, not plain or not flawless, or isal or numba is missing, or kernels are off.
    """
    isal = _isal() if data.startswith(_SIGNATURE) else None
    plain = None if isal is None else _parse(data, isal.isal_zlib.crc32)
    if plain is None or not _is_wanted(plain, flag, backend):
        return None
    unfilter = kernels.png_unfilter()
    if unfilter is None:
        return None
    rows = plain.height if num_rows is None else min(num_rows, plain.height)
    pixels = _decode(plain, rows, isal.igzip_lib, unfilter)
    return None if pixels is None else _settled(pixels, plain, flag)


@lru_cache
def _isal():
    """The package that inflates, or None where it is not installed."""
    try:
        import isal.igzip_lib
        import isal.isal_zlib
    except ImportError:
        return None
    return isal


def _is_wanted(plain: _Plain, flag: str, backend: str) -> bool:
    size = plain.height * plain.width * _BYTES[plain.colour, plain.bits]
    if backend not in ('cv2', 'pillow') or size < _SMALLEST:
        return False
    if flag == 'unchanged':
        return plain.colour != _PALETTE or backend == 'pillow'
    return (flag in ('color', 'color_ignore_orientation')
            and plain.colour != _PALETTE and plain.bits == 8)


def _parse(data: bytes, crc32: Callable) -> _Plain | None:
    """The header and the compressed parts of a plain file in which all CRCs are right."""
    view, names, parts, header = memoryview(data), [], [], None
    position = len(_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from('>I4s', data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return None
        body, (crc,) = view[position + 8:end], struct.unpack_from('>I', data, end)
        if crc32(view[position + 4:end]) != crc:
            return None
        if name == b'IDAT':
            parts.append(body)
        elif not _is_idle(name, body):
            return None
        elif name == b'IHDR':
            header = body
        if name != b'IDAT' or names[-1:] != [name]:  # parts in a row count as one
            names.append(name)
        position = end + 4
    if position != len(data) or not _is_ordered(names):
        return None
    width, height, bits, colour, *methods = struct.unpack('>IIBBBBB', header)
    known = (colour, bits) in _BYTES and methods == [0, 0, 0]  # the last one is interlacing
    fits = 0 < height * width <= _LARGEST and (b'PLTE' in names or colour != _PALETTE)
    return _Plain(height, width, colour, bits, parts) if known and fits else None


def _is_idle(name: bytes, body: memoryview) -> bool:
    """Whether a chunk other than IDAT is one of a plain file and changes no value."""
    if name == b'tEXt':
        return len(body) <= _LARGEST_TEXT and not bytes(body).lower().startswith(_HIDES_MORE)
    if name == b'PLTE':
        return 0 < len(body) <= 768 and len(body) % 3 == 0
    return len(body) in {b'IHDR': {13}, b'IEND': {0}, **_IDLE}.get(name, ())


def _is_ordered(names: list[bytes]) -> bool:
    """IHDR first, IEND last, the palette once and before the one run of IDAT."""
    once = all(names.count(name) == 1 for name in (b'IHDR', b'IDAT', b'IEND'))
    if not once or names[0] != b'IHDR' or names[-1] != b'IEND' or names.count(b'PLTE') > 1:
        return False
    return b'PLTE' not in names or names.index(b'PLTE') < names.index(b'IDAT')


def _decode(plain: _Plain, num_rows: int, igzip, unfilter: Callable) -> np.ndarray | None:
    """(num_rows, W * bytes) uint8, colours as BGR; None if the stream is not as it should be."""
    step = _BYTES[plain.colour, plain.bits]
    row_size = 1 + plain.width * step
    stream = b''.join(plain.parts)
    # Memory of a size that the stream does not bear out is never touched, so never used.
    pixels = np.empty((num_rows, row_size - 1), np.uint8)
    inflater = igzip.IgzipDecompressor(flag=igzip.DECOMP_ZLIB)
    per_block = max(_BLOCK // row_size, 1)
    try:
        for start in range(0, num_rows, per_block):
            size = min(per_block, num_rows - start) * row_size
            block = np.frombuffer(inflater.decompress(b'' if start else stream, size), np.uint8)
            if block.size != size or not unfilter(block, pixels, start, step):
                return None
        if num_rows == plain.height and not _is_at_end(inflater):
            return None
    except (igzip.IsalError, EOFError):
        return None
    return pixels


def _is_at_end(inflater) -> bool:
    """Whether the stream holds nothing more; its checksum was compared on the way."""
    surplus = b'' if inflater.eof else inflater.decompress(b'', 1)
    return not surplus and inflater.eof and not inflater.unused_data


def _settled(pixels: np.ndarray, plain: _Plain, flag: str) -> np.ndarray:
    """Rows of bytes in the shape, type and colours that were asked for."""
    num_rows = len(pixels)
    if plain.bits == 16:
        return pixels.view('>u2').astype(np.uint16)
    if plain.colour in (_RGB, _RGBA):
        pixels = pixels.reshape(num_rows, plain.width, -1)
    if flag == 'unchanged' or plain.colour == _RGB:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR if plain.colour == _GRAY
                        else cv2.COLOR_BGRA2BGR)
