"""Label files too large to be held, written some rows at a time: PNG, or TIFF on a map.

Letters: H W pixels.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..ops.png_rows import PngWriter

# Tags of a GeoTIFF that say where it lies (OGC GeoTIFF 1.1, 7.1): scale, tie points, matrix, keys.
GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737)
_TILE = 256  # pixels of a side of a TIFF's tiles
_BIG = 1 << 31  # bytes from which a TIFF needs 64-bit offsets


def write_label_rows(file: BinaryIO, suffix: str, size: tuple[int, int],
                     palette: Sequence[Sequence[int]], bands: Iterable[np.ndarray],
                     source: Path | None = None) -> None:
    """Write class ids that show in the palette's colours.

    Args:
        file: Open for writing.
        suffix: '.png' or '.tif'.
        size: (H, W).
        palette: K (r, g, b); above 256 the file is gray of 16 bits.
        bands: All rows from the top, (n, W) integer each.
        source: A TIFF whose place on the map a TIFF takes over.
    """
    if suffix == '.tif':
        _write_tiff(file, size, palette, bands, source)
        return
    writer = PngWriter(file, size, None, 16) if len(palette) > 256 else \
        PngWriter(file, size, palette)
    for band in bands:
        writer.write(band)


def _write_tiff(file: BinaryIO, size: tuple[int, int], palette: Sequence[Sequence[int]],
                bands: Iterable[np.ndarray], source: Path | None) -> None:
    import tifffile
    if len(palette) > 256:
        dtype, shown = np.uint16, dict(photometric='minisblack')
    else:
        colours = np.zeros((3, 256), np.uint16)
        colours[:, :len(palette)] = np.asarray(palette, np.uint16).reshape(-1, 3).T * 257
        dtype, shown = np.uint8, dict(photometric='palette', colormap=colours)
    with tifffile.TiffWriter(file, bigtiff=size[0] * size[1] > _BIG) as writer:
        writer.write(_tiles(bands, dtype), shape=size, dtype=dtype, compression='zlib',
                     tile=(_TILE, _TILE), extratags=geo_tags(source), metadata=None, **shown)


def _tiles(bands: Iterable[np.ndarray], dtype: type) -> Iterator[np.ndarray]:
    """The same pixels as tiles, from left to right, then down; those at the edges are padded."""
    for line in _lines(bands):
        for left in range(0, line.shape[1], _TILE):
            part = line[:, left:left + _TILE].astype(dtype, copy=False)
            yield np.pad(part, ((0, _TILE - part.shape[0]), (0, _TILE - part.shape[1])))


def _lines(bands: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same rows, ``_TILE`` at a time; the last ones may be fewer."""
    held: list[np.ndarray] = []
    for band in bands:
        held.append(band)
        if sum(map(len, held)) < _TILE:
            continue
        rows = np.concatenate(held)
        whole = len(rows) // _TILE * _TILE
        yield from np.split(rows[:whole], whole // _TILE)
        held = [rows[whole:]]
    rest = np.concatenate(held)
    if len(rest):
        yield rest


def geo_tags(source: Path | None) -> list[tuple]:
    """The tags by which a GeoTIFF says where it lies, as tifffile takes them; none of others."""
    if source is None:
        return []
    import tifffile
    with tifffile.TiffFile(source) as file:
        tags = file.pages[0].tags
        return [(code, tags[code].dtype, tags[code].count, tags[code].value, True)
                for code in GEO_TAGS if code in tags]
