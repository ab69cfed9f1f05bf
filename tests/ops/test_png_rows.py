"""Rows of PNG files against OpenCV and Pillow, and damaged files."""

import importlib.util
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from segplug.errors import DataError
from segplug.ops.png_rows import PngRows, PngWriter

pytestmark = pytest.mark.skipif(importlib.util.find_spec('numba') is None,
                                reason='numba, which compiles the kernel, is not installed')


def picture(channels=3, dtype=np.uint8, size=(37, 23)):
    draws = np.random.default_rng(0)
    small = draws.integers(0, np.iinfo(dtype).max, (5, 4, channels)).astype(np.float32)
    img = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, channels)
    return (img.clip(0, np.iinfo(dtype).max) + draws.integers(0, 9, img.shape)).astype(dtype)


def encoded(img):
    return cv2.imencode('.png', img)[1].tobytes()


def rows_of(data, counts):
    rows = PngRows(io.BytesIO(data))
    return rows, np.concatenate([rows.read(count) for count in counts])


@pytest.mark.parametrize('counts', [(37,), (1,) * 37, (5, 16, 15, 1)], ids=len)
@pytest.mark.parametrize(('channels', 'dtype'), [(1, np.uint8), (1, np.uint16), (3, np.uint8),
                                                 (4, np.uint8)])
def test_rows_are_those_of_the_file(channels, dtype, counts):
    img = picture(channels, dtype)
    rows, found = rows_of(encoded(img), counts)
    assert rows.shape == img.shape
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, img)


@pytest.mark.parametrize('kind', range(5), ids=['none', 'sub', 'up', 'average', 'paeth'])
def test_every_filter(kind):
    """Each row filtered by hand, as the specification's table 18 has it."""
    img = picture().astype(np.int64)
    above = np.concatenate([np.zeros_like(img[:1]), img[:-1]])
    left = np.concatenate([np.zeros_like(img[:, :1]), img[:, :-1]], axis=1)
    corner = np.concatenate([np.zeros_like(above[:, :1]), above[:, :-1]], axis=1)
    guess = left + above - corner
    near = [abs(guess - x) for x in (left, above, corner)]
    paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left,
                     np.where(near[1] <= near[2], above, corner))
    predicted = [np.zeros_like(img), left, above, (left + above) // 2, paeth][kind]
    filtered = ((img - predicted) % 256).astype(np.uint8).reshape(len(img), -1)
    stream = np.insert(filtered, 0, kind, axis=1).tobytes()
    _, found = rows_of(png(stream, parts=7), (3, 34))
    np.testing.assert_array_equal(found[..., ::-1], img)  # the file is RGB


def png(stream, size=(37, 23), header=(8, 2, 0, 0, 0), parts=1, before=(), compress=zlib.compress):
    """A file by hand; the compressed stream in ``parts`` chunks."""
    data = compress(stream)
    edges = np.linspace(0, len(data), parts + 1).astype(int)
    chunks = [(b'IHDR', struct.pack('>IIBBBBB', size[1], size[0], *header)), *before,
              *((b'IDAT', data[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)),
              (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
        for name, body in chunks)


def test_damage_is_named():
    data = encoded(picture())
    for cut in range(8, len(data) - 16, 13):
        with pytest.raises(DataError, match='ends too early'):
            rows_of(data[:cut], (37,))
    for place in range(8, len(data) - 12, 7):
        broken = bytearray(data)
        broken[place] ^= 0x10
        with pytest.raises((DataError, NotImplementedError)):
            rows_of(bytes(broken), (37,))
    with pytest.raises(DataError, match='more than its rows'):
        rows_of(png(bytes(37 * 70 + 1)), (37,))
    with pytest.raises(DataError, match='ends too early'):
        rows_of(png(bytes(37 * 70 - 1)), (37,))
    with pytest.raises(DataError, match='filter that does not exist'):
        rows_of(png(b'\5' + bytes(37 * 70 - 1)), (37,))
    with pytest.raises(DataError, match='damaged'):
        rows_of(png(bytes(37 * 70), compress=lambda stream: b'no stream of zlib'), (37,))


@pytest.mark.parametrize('data', [
    png(b'', header=(8, 2, 0, 0, 1)), png(b'', header=(4, 0, 0, 0, 0)),
    png(b'', header=(16, 2, 0, 0, 0)), png(b'', header=(8, 3, 0, 0, 0)),
    png(b'', before=[(b'tRNS', bytes(6))])],
    ids=['interlaced', 'gray4', 'rgb16', 'palette', 'tRNS'])
def test_what_has_to_be_decoded_whole(data):
    with pytest.raises(NotImplementedError):
        PngRows(io.BytesIO(data))


def test_a_stream_in_one_large_chunk_is_read_in_pieces():
    img = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    stream = np.insert(img.reshape(400, -1), 0, 0, axis=1).tobytes()
    _, found = rows_of(png(stream, (400, 300)), (100,) * 4)
    np.testing.assert_array_equal(found[..., ::-1], img)


def test_chunks_may_be_empty():
    img, empty = picture(), struct.pack('>I4sI', 0, b'IDAT', zlib.crc32(b'IDAT'))
    data = encoded(img)
    start = data.index(b'IDAT') - 4
    _, found = rows_of(data[:start] + 2 * empty + data[start:], (20, 17))
    np.testing.assert_array_equal(found, img)


@pytest.mark.parametrize('palette', [None, [(1, 2, 3), (200, 100, 0), (9, 9, 9)]])
def test_written_rows_are_read_by_others(palette):
    labels = np.random.default_rng(0).integers(0, 3, (50, 41), dtype=np.uint8)
    file = io.BytesIO()
    writer = PngWriter(file, labels.shape, palette)
    for start in range(0, 50, 8):
        writer.write(labels[start:start + 8])
    with Image.open(io.BytesIO(file.getvalue())) as img:
        assert img.mode == ('L' if palette is None else 'P')
        np.testing.assert_array_equal(np.asarray(img), labels)
        if palette is not None:
            assert img.getpalette()[:9] == [x for colour in palette for x in colour]
