"""Rows of image files against the same files read whole."""

import importlib.util

import cv2
import numpy as np
import pytest
import tifffile

from segplug.datasets import rasters
from segplug.datasets.files import read_bands
from segplug.datasets.rasters import open_raster
from segplug.errors import DataError

SIZE = (70, 53)
WALK = [(0, 20), (10, 30), (30, 31), (40, 69), (41, 70)]  # overlapping, touching, with a gap


def pixels(channels, dtype='uint8'):
    draws = np.random.default_rng(0)
    values = draws.integers(0, 200, (*SIZE, channels)).astype(dtype)
    return values[..., 0] if channels == 1 else values


def tiff(**options):
    def write(path, img):
        side_by_side = dict(photometric='minisblack')
        if img.ndim == 3 and 'planarconfig' not in options:
            side_by_side['planarconfig'] = 'contig'
        tifffile.imwrite(path, img, **{**side_by_side, **options})
    return write


def png(path, img):
    cv2.imwrite(str(path), img)


WRITERS = {
    'png': ('a.png', png, ['uint8', 'uint16'], [1]),
    'png colours': ('a.png', png, ['uint8'], [3, 4]),
    'png of 16 bits in colour': ('a.png', png, ['uint16'], [3]),
    'tiff in one strip': ('a.tif', tiff(), ['uint8', 'uint16', 'float32'], [1, 3, 5]),
    'tiff in strips': ('a.tif', tiff(rowsperstrip=8, compression='zlib'), ['uint8'], [1, 4]),
    'tiff in tiles': ('a.tif', tiff(tile=(16, 32)), ['uint8', 'float32'], [1, 3]),
    'tiff in packed tiles': ('a.tif', tiff(tile=(16, 32), compression='zlib', predictor=True),
                             ['uint16'], [3, 6]),
    'big-endian BigTIFF': ('a.tif', tiff(bigtiff=True, byteorder='>'), ['uint16'], [3]),
    'tiff in planes': ('a.tif', tiff(planarconfig='separate', photometric='rgb'), ['uint8'], [3]),
    'jpeg': ('a.jpg', png, ['uint8'], [3]),
    'npy': ('a.npy', lambda path, img: np.save(path, img), ['float32'], [2]),
}
CASES = [(kind, dtype, channels) for kind, (_, _, dtypes, counts) in WRITERS.items()
         for dtype in dtypes for channels in counts]


@pytest.mark.parametrize(('kind', 'dtype', 'channels'), CASES)
def test_rows_are_those_of_the_whole_file(kind, dtype, channels, tmp_path):
    name, write, *_ = WRITERS[kind]
    img = pixels(channels, dtype)
    if kind == 'tiff in planes':
        write(tmp_path / name, np.moveaxis(img, -1, 0))
    else:
        write(tmp_path / name, img)
    whole = read_bands(str(tmp_path / name))
    with open_raster(tmp_path / name) as raster:
        assert raster.shape == whole.shape == (*SIZE, channels)
        assert raster.dtype == whole.dtype
        for top, bottom in WALK:
            np.testing.assert_array_equal(raster.rows(top, bottom), whole[top:bottom])


def test_only_what_has_to_be_is_read_whole(tmp_path, monkeypatch):
    def refused(path):
        raise AssertionError(f'{path} was read whole')
    monkeypatch.setattr(rasters.files, 'read_bands', refused)
    for kind in ('png', 'png colours', 'tiff in one strip', 'tiff in strips', 'tiff in tiles'):
        if kind.startswith('png') and importlib.util.find_spec('numba') is None:
            continue
        name, write, _, counts = WRITERS[kind]
        write(tmp_path / name, pixels(counts[0]))
        with open_raster(tmp_path / name) as raster:
            raster.rows(3, 5)


@pytest.mark.parametrize('kind', ['png', 'jpeg', 'tiff in one strip', 'tiff in strips',
                                  'tiff in tiles'])
def test_a_damaged_file_is_named(kind, tmp_path):
    name, write, _, counts = WRITERS[kind]
    write(tmp_path / name, pixels(counts[0]))
    data = (tmp_path / name).read_bytes()
    for part in (data[:60], data[:-len(data) // 3], b'', b'some text' * 30):
        (tmp_path / name).write_bytes(part)
        with pytest.raises(DataError, match=name), open_raster(tmp_path / name) as raster:
            raster.rows(0, SIZE[0])


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(DataError, match=r'none\.png cannot be read'), \
            open_raster(tmp_path / 'none.png'):
        pass
