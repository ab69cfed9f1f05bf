"""Images too large to be held, opened to be read some rows at a time, from the top down.

PNG files are inflated as far as they are asked for (`ops.png_rows`); of TIFF files, GeoTIFF too,
only the strips or tiles that hold the rows are read. Every other file is decoded whole.
Letters: C channels, H W pixels.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

import numpy as np

from ..errors import DataError
from ..ops.png_rows import PngRows
from . import array_files, files


class Raster(Protocol):
    """An open image.

    Attributes:
        shape: (H, W, C).
        dtype: Of the pixels.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype

    def rows(self, top: int, bottom: int) -> np.ndarray:
        """Rows ``top`` to ``bottom`` - 1, (n, W, C), channels in the file's order.

        ``top`` never goes back.
        """


class WholeRaster:
    """An image that is held: an array, or a file that cannot be read by rows."""

    def __init__(self, img: np.ndarray) -> None:
        self._img = img if img.ndim == 3 else img[..., None]
        self.shape, self.dtype = self._img.shape, self._img.dtype

    def rows(self, top: int, bottom: int) -> np.ndarray:
        return self._img[top:bottom]


class SequentialRaster:
    """Rows of a source that only goes forward; those that are asked again are kept."""

    def __init__(self, source: PngRows) -> None:
        self._source = source
        self.shape, self.dtype = source.shape, source.dtype
        self._kept, self._top = np.empty((0, *source.shape[1:]), source.dtype), 0

    def rows(self, top: int, bottom: int) -> np.ndarray:
        have = self._top + len(self._kept)
        for start in range(have, top, 256):  # passed over
            self._source.read(min(256, top - start))
        kept = self._kept[top - self._top:] if top < have else self._kept[:0]
        missing = bottom - max(have, top)
        if missing > 0:
            new = self._source.read(missing)
            if self.shape[2] >= 3:
                new = new[..., [2, 1, 0, *range(3, self.shape[2])]]
            kept = np.concatenate([kept, new])
        self._kept, self._top = kept, top
        return kept[:bottom - top]


class FlatRaster:
    """One page of a TIFF whose pixels lie in the file as they are, one after the other.

    Args:
        page: A tifffile.TiffPage.
    """

    def __init__(self, page) -> None:
        self._file, self._offset = page.parent.filehandle, page.dataoffsets[0]
        self.shape = page.imagelength, page.imagewidth, page.samplesperpixel
        self.dtype, self._order = page.dtype, page.parent.byteorder

    def rows(self, top: int, bottom: int) -> np.ndarray:
        size = self.shape[1] * self.shape[2] * self.dtype.itemsize
        self._file.seek(self._offset + top * size)
        data = self._file.read((bottom - top) * size)
        if len(data) < (bottom - top) * size:
            raise DataError('the file ends too early.')
        values = np.frombuffer(data, self.dtype.newbyteorder(self._order))
        return values.astype(self.dtype, copy=False).reshape(bottom - top, *self.shape[1:])


class TiffRaster:
    """One page of a TIFF, by strips or tiles.

    Args:
        page: A tifffile.TiffPage whose channels lie side by side.
    """

    def __init__(self, page) -> None:
        self._page = page
        self.shape = page.imagelength, page.imagewidth, page.samplesperpixel
        self.dtype = page.dtype
        tile = (page.tilelength, page.tilewidth) if page.is_tiled else \
            (min(page.rowsperstrip, page.imagelength), page.imagewidth)
        self._tile, self._across = tile, -(-page.imagewidth // tile[1])
        self._held: dict[int, np.ndarray] = {}

    def rows(self, top: int, bottom: int) -> np.ndarray:
        height = self._tile[0]
        first, last = top // height, -(-bottom // height)
        self._held = {n: self._held[n] if n in self._held else self._line(n)
                      for n in range(first, last)}
        parts = [line[max(top - n * height, 0):bottom - n * height]
                 for n, line in self._held.items()]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _line(self, n: int) -> np.ndarray:
        """A row of tiles, (h, W, C)."""
        height, width, channels = self.shape
        top = n * self._tile[0]
        line = np.empty((min(self._tile[0], height - top), width, channels), self.dtype)
        for i in range(self._across):
            left = i * self._tile[1]
            place = line[:, left:left + self._tile[1]]
            tile = self._segment(n * self._across + i)
            place[:] = 0 if tile is None else tile[:place.shape[0], :place.shape[1]]
        return line

    def _segment(self, index: int) -> np.ndarray | None:
        page = self._page
        page.parent.filehandle.seek(page.dataoffsets[index])
        data = page.parent.filehandle.read(page.databytecounts[index])
        if len(data) < page.databytecounts[index]:
            raise DataError('the file ends too early.')
        decoded = page.decode(data, index, jpegtables=page.jpegtables)[0]
        return None if decoded is None else decoded[0]


@contextmanager
def open_raster(path: str | os.PathLike) -> Iterator[Raster]:
    """Open an image file of any kind to read it by rows.

    Raises:
        DataError: It is missing, broken or no image; also from reading rows.
    """
    path = os.fspath(path)
    with files.told_of(path, 'image'):
        file = open(path, 'rb')  # noqa: SIM115 (closed below, when the caller is done)
    with file:
        start = file.read(8)
        file.seek(0)
        if start.startswith(b'\x89PNG'):
            yield _Named(path, _opened(path, file, _png))
        elif array_files.is_tiff(start):
            yield _Named(path, _opened(path, file, _tiff))
        else:
            yield WholeRaster(files.read_bands(path))


class _Named:
    """A raster whose errors name the file."""

    def __init__(self, path: str, raster: Raster) -> None:
        self._path, self._raster = path, raster
        self.shape, self.dtype = raster.shape, raster.dtype

    def rows(self, top: int, bottom: int) -> np.ndarray:
        with files.told_of(self._path, 'image'):
            return self._raster.rows(top, bottom)


def _opened(path: str, file: BinaryIO, opener: Callable[[BinaryIO], Raster | None]) -> Raster:
    with files.told_of(path, 'image'):
        raster = opener(file)
    return WholeRaster(files.read_bands(path)) if raster is None else raster


def _png(file: BinaryIO) -> Raster | None:
    try:
        return SequentialRaster(PngRows(file))
    except NotImplementedError:
        return None


def _tiff(file: BinaryIO) -> Raster | None:
    import tifffile
    first = tifffile.TiffFile(file).series[0]
    page = first.keyframe
    plain = len(first.pages) == 1 and page.planarconfig == 1 and page.ndim in (2, 3) \
        and page.imagedepth == 1 and page.photometric != 3
    if not plain:
        return None
    array_files.check_codec(page)
    return FlatRaster(page) if page.is_final and not page.is_tiled else TiffRaster(page)
