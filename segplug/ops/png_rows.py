"""PNG files too large to be held, read and written some rows at a time.

Reading inflates as much as the next rows need and undoes their filters with the kernel of
`ops.png`; writing deflates each piece as it comes. Source: PNG specification, third edition.
Letters: C channels, H W pixels.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from . import kernels

_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_GRAY, _RGB, _PALETTE, _RGBA = 0, 2, 3, 6
_CHANNELS = {_GRAY: 1, _RGB: 3, _RGBA: 4}
_PIECE = 1 << 16  # bytes of the file at a time
_UP = 2


class PngRows:
    """The rows of an open PNG file, from the top down.

    Args:
        file: Binary, at its start; stays open.

    Attributes:
        shape: (H, W, C).
        dtype: uint8, or uint16 for gray of 16 bits.

    Raises:
        DataError: When it is damaged.
        NotImplementedError: It is a PNG that has to be decoded whole: interlaced, with a palette,
            of other depths or with transparency beside the channels; or numba is missing.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        if file.read(8) != _SIGNATURE:
            raise DataError('it is no PNG.')
        name, length = self._chunk()
        if name != b'IHDR' or length != 13:
            raise DataError('its header is damaged.')
        width, height, bits, colour, *methods = struct.unpack('>IIBBBBB', self._body(13))
        while (name := self._chunk()[0]) != b'IDAT':
            if name in (b'tRNS', b'eXIf', b'IEND', b'acTL'):
                raise NotImplementedError(f'a chunk {name.decode()}')
            while self._left:
                self._body(_PIECE)
        self._unfilter = kernels.png_unfilter()
        plain = colour in _CHANNELS and (bits == 8 or (colour, bits) == (_GRAY, 16))
        if not plain or methods != [0, 0, 0] or self._unfilter is None or 0 in (width, height):
            raise NotImplementedError('not a plain PNG')
        self.shape = height, width, _CHANNELS[colour]
        self.dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self._step = _CHANNELS[colour] * bits // 8
        self._above = np.zeros(width * self._step, np.uint8)
        self._inflater, self._compressed, self._done = zlib.decompressobj(), b'', 0

    def read(self, count: int) -> np.ndarray:
        """The next ``count`` rows, (count, W, C); colours as BGR or BGRA."""
        height, width, channels = self.shape
        size = count * (1 + width * self._step)
        rows = np.empty((count + 1, width * self._step), np.uint8)
        rows[0] = self._above
        filtered = np.frombuffer(self._inflate(size), np.uint8)
        if not self._unfilter(filtered, rows, 1, self._step):
            raise DataError('a row of it has a filter that does not exist.')
        self._above = rows[-1].copy()
        self._done += count
        if self._done == height:
            self._finish()
        pixels = rows[1:]
        if self.dtype == np.uint16:
            pixels = pixels.view('>u2').astype(np.uint16)
        return pixels.reshape(count, width, channels)

    def _inflate(self, size: int) -> bytes:
        parts, missing = [], size
        while missing > 0:
            parts.append(self._more(missing))
            missing -= len(parts[-1])
        return b''.join(parts)

    def _more(self, size: int) -> bytes:
        """At most ``size`` bytes of what the stream inflates to."""
        if not self._compressed:
            while not self._left:  # a chunk may be empty
                if self._chunk()[0] != b'IDAT':
                    raise DataError('the file ends too early.')
            self._compressed = self._body(_PIECE)
        try:
            data = self._inflater.decompress(self._compressed, size)
        except zlib.error as error:
            raise DataError(f'its compressed data are damaged: {error}.') from error
        self._compressed = self._inflater.unconsumed_tail
        return data

    def _finish(self) -> None:
        """Read to the end of the stream, whose checksum covers all rows."""
        while not self._inflater.eof:
            if self._more(1):
                raise DataError('it holds more than its rows.')

    def _chunk(self) -> tuple[bytes, int]:
        """Name and length of the next chunk; `_body` reads it."""
        self._left, name = struct.unpack('>I4s', self._exactly(8))
        self._checksum = zlib.crc32(name)
        if not self._left:
            self._body(0)
        return name, self._left

    def _body(self, size: int) -> bytes:
        """At most ``size`` bytes of the chunk; its checksum is compared when nothing is left."""
        data = self._exactly(min(size, self._left))
        self._left -= len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        if not self._left and self._checksum != struct.unpack('>I', self._exactly(4))[0]:
            raise DataError('a part of it does not have its checksum.')
        return data

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise DataError('the file ends too early.')
        return data


class PngWriter:
    """Write a label PNG some rows at a time: class ids that show in the colours of a palette.

    Args:
        file: Binary, open for writing; stays open.
        size: (H, W).
        palette: At most 256 (r, g, b); None writes gray.
        bits: Of a pixel without a palette, 8 or 16.
    """

    def __init__(self, file: BinaryIO, size: tuple[int, int],
                 palette: Sequence[Sequence[int]] | None, bits: int = 8) -> None:
        self._file, self._left, self._dtype = file, size[0], f'>u{bits // 8}'
        self._above = np.zeros(size[1] * bits // 8, np.uint8)
        self._deflater = zlib.compressobj(6)
        file.write(_SIGNATURE)
        colour = _GRAY if palette is None else _PALETTE
        self._put(b'IHDR', struct.pack('>IIBBBBB', size[1], size[0], bits, colour, 0, 0, 0))
        if palette is not None:
            colours = np.zeros((256, 3), np.uint8)
            colours[:len(palette)] = np.asarray(palette, np.uint8).reshape(-1, 3)[:256]
            self._put(b'PLTE', colours.tobytes())

    def write(self, rows: np.ndarray) -> None:
        """The next rows, (n, W) integer."""
        rows = np.ascontiguousarray(rows, self._dtype).view(np.uint8)
        above = np.concatenate([self._above[None], rows[:-1]])
        filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        filtered[:, 0] = _UP  # labels mostly are as the row above
        np.subtract(rows, above, out=filtered[:, 1:])
        self._above = rows[-1].copy()
        self._left -= len(rows)
        data = self._deflater.compress(filtered.tobytes())
        if self._left == 0:
            data += self._deflater.flush()
        for start in range(0, len(data), _PIECE):
            self._put(b'IDAT', data[start:start + _PIECE])
        if self._left == 0:
            self._put(b'IEND', b'')

    def _put(self, name: bytes, body: bytes) -> None:
        self._file.write(struct.pack('>I', len(body)) + name + body)
        self._file.write(struct.pack('>I', zlib.crc32(body, zlib.crc32(name))))
