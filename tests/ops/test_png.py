"""Our PNG decoder against values by hand, and to the bit against OpenCV and Pillow.

Files come from `png_files`, with chosen filters and chunks, from the two libraries' own writers
and, where they are, from CamVid.
"""

import io
import itertools
import os
import random
import struct
import sys
import threading
import warnings
import zlib
from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image
from png_files import (
    GRAY,
    GRAY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    chunk,
    filtered,
    header,
    png,
)

from segplug.ops import png as module
from segplug.ops.png import decode_png

pytest.importorskip('numba', reason='numba, which compiles the kernels, is not installed')
pytest.importorskip('isal', reason='isal, which inflates, is not installed')

PLTE = chunk(b'PLTE', bytes(range(256)) * 3)
WAYS = [(flag, backend) for flag in ('color', 'unchanged', 'color_ignore_orientation')
        for backend in ('cv2', 'pillow')]
# colour type, channels, type of the values, chunks that it needs
KINDS = {'gray': (GRAY, 1, 'u1', b''), 'gray16': (GRAY, 1, '>u2', b''), 'rgb': (RGB, 3, 'u1', b''),
         'palette': (PALETTE, 1, 'u1', PLTE), 'rgba': (RGBA, 4, 'u1', b'')}
# Ways that are left to the other decoders, of those in WAYS.
LEFT = {'gray16': {('color', 'cv2'), ('color', 'pillow'), ('color_ignore_orientation', 'cv2'),
                   ('color_ignore_orientation', 'pillow')},
        'palette': {*WAYS} - {('unchanged', 'pillow')}}


@pytest.fixture(autouse=True)
def _small_ones_too(monkeypatch):
    monkeypatch.setattr(module, '_SMALLEST', 0)


def values(kind: str, height: int, width: int, smooth: bool = False) -> np.ndarray:
    _, channels, dtype, _ = KINDS[kind]
    shape = (height, width) if channels == 1 else (height, width, channels)
    if smooth:
        y, x = np.mgrid[:height, :width]
        plane = (np.sin(y / 5) + np.cos(x / 7)) * 60 + 125
        plane += np.random.uniform(0, 2, plane.shape)
        return np.stack([plane] * channels, -1).reshape(shape).astype(dtype)
    return np.random.randint(0, 65536, shape).astype(dtype)


def theirs(data: bytes, flag: str, backend: str):
    """What the present path reads, or None where it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return mmcv.imfrombytes(data, flag, backend=backend)
    except Exception:
        return None


def same(ours: np.ndarray, other: np.ndarray | None) -> bool:
    return other is not None and ours.dtype == other.dtype and np.array_equal(ours, other)


def test_rows_by_hand():
    # Row 0, Sub: 10, then 10 + 5. Row 1, Paeth: of (0, 10, 0) 10 + 0 - 0 is nearest to b = 10:
    # 10 + 1; of (11, 15, 10) 16 is nearest to 15: 15 + 2. Row 2, Average: (0 + 11) // 2 + 250 =
    # 255; (255 + 17) // 2 + 200 = 336 = 80 mod 256. Row 3, Up: 255 + 1 = 0 mod 256, 80 + 0.
    lines = bytes([1, 10, 5, 4, 1, 2, 3, 250, 200, 2, 1, 0])
    data = png(np.zeros((4, 2), np.uint8), GRAY, stream=zlib.compress(lines))
    assert decode_png(data, 'unchanged').tolist() == [[10, 15], [11, 17], [255, 80], [0, 80]]


def test_a_colour_is_turned():
    data = png(np.array([[[1, 2, 3]]], np.uint8), RGB)
    assert decode_png(data).tolist() == [[[3, 2, 1]]]


@pytest.mark.parametrize('smooth', [False, True])
@pytest.mark.parametrize('size', [(1, 1), (1, 19), (23, 1), (9, 8), (31, 45)])
@pytest.mark.parametrize('kind', KINDS)
def test_as_the_others_whatever_the_filters(kind, size, smooth):
    pixels = values(kind, *size, smooth)
    for kinds in (*([k] for k in range(5)), range(5)):
        data = png(pixels, KINDS[kind][0], random.choices(kinds, k=size[0]), KINDS[kind][3])
        for way in WAYS:
            ours = decode_png(data, *way)
            assert (ours is None) == (way in LEFT.get(kind, ()))
            assert ours is None or same(ours, theirs(data, *way))


@pytest.mark.parametrize('kind', range(5))
def test_labels_whose_rows_run(kind):
    """Even areas, where eight bytes are done at once, with edges at every place in a word."""
    label = np.zeros((60, 83), np.uint8)
    for _ in range(25):
        y, x = np.random.randint(0, 60), np.random.randint(0, 83)
        label[y:y + np.random.randint(1, 30), x:x + np.random.randint(1, 40)] = \
            np.random.randint(0, 256)
    data = png(label, GRAY, [kind] * 60)
    assert same(decode_png(data, 'unchanged', 'pillow'), label)
    assert same(decode_png(png(label, GRAY, random.choices(range(5), k=60)), 'unchanged'), label)


@pytest.mark.parametrize('level', [0, 1, 9])
@pytest.mark.parametrize('num_parts', [1, 7, 4000])
def test_streams_in_parts(level, num_parts, monkeypatch):
    monkeypatch.setattr(module, '_BLOCK', 1000)
    pixels = values('rgb', 40, 50, smooth=True)
    data = png(pixels, RGB, random.choices(range(5), k=40), num_parts=num_parts, level=level)
    assert same(decode_png(data), pixels[..., ::-1])


def test_files_of_other_writers():
    pixels = values('rgb', 70, 90, smooth=True)
    files = [cv2.imencode('.png', pixels, [cv2.IMWRITE_PNG_COMPRESSION, level,
                                           cv2.IMWRITE_PNG_STRATEGY, strategy])[1].tobytes()
             for level in (0, 1, 9) for strategy in range(5)]
    label = Image.fromarray(pixels[..., 0]).convert('P')
    for img in (Image.fromarray(pixels), Image.fromarray(pixels[..., 0]), label,
                Image.fromarray(pixels).convert('RGBA')):
        for options in ({}, {'optimize': True}, {'dpi': (300, 300)}):
            buffer = io.BytesIO()
            img.save(buffer, 'png', **options)
            files.append(buffer.getvalue())
    for data in files:
        ours = decode_png(data, 'unchanged', 'pillow')
        assert ours is not None
        assert same(ours, theirs(data, 'unchanged', 'pillow'))


@pytest.mark.parametrize('num_rows', [1, 7, 29, 30, 99])
def test_the_first_rows(num_rows, monkeypatch):
    monkeypatch.setattr(module, '_BLOCK', 500)
    pixels = values('rgb', 30, 40)
    data = png(pixels, RGB, random.choices(range(5), k=30))
    assert same(decode_png(data, num_rows=num_rows), pixels[:num_rows, :, ::-1])
    gray = png(pixels[..., 0], GRAY, [4] * 30)
    assert decode_png(gray, 'color', num_rows=num_rows).shape == (min(num_rows, 30), 40, 3)


def test_chunks_that_change_nothing():
    pixels = values('rgb', 6, 5)
    idle = {b'gAMA': struct.pack('>I', 220000),
            b'cHRM': struct.pack('>8I', *range(1000, 9000, 1000)),
            b'sRGB': b'\1', b'pHYs': bytes(8) + b'\1', b'tIME': bytes([7, 208, 1, 1, 0, 0, 0]),
            b'sBIT': b'\3\4\5', b'bKGD': bytes([0, 9, 0, 8, 0, 7]), b'PLTE': b'abcdef',
            b'tEXt': b'Comment\0Created by hand'}
    for name, body in idle.items():
        data = png(pixels, RGB, before=chunk(name, body))
        assert all(same(decode_png(data, *way), theirs(data, *way)) for way in WAYS), name
    data = png(pixels, RGB, after=chunk(b'tEXt', b'Author\0x') + chunk(b'tIME', idle[b'tIME']))
    assert all(same(decode_png(data, *way), theirs(data, *way)) for way in WAYS)


EXIF = b'MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0'  # orientation 6


@pytest.mark.parametrize('extra', [
    chunk(b'eXIf', EXIF), chunk(b'tRNS', bytes(6)), chunk(b'acTL', bytes(7) + b'\1'),
    chunk(b'tEXt', b'Raw profile type exif\0exif\n0\n'), chunk(b'iTXt', b'XML:com.adobe.xmp\0'),
    chunk(b'tEXt', bytes(1 << 17)), chunk(b'gAMA', b'\0'), header(3, 3, RGB),
    chunk(b'PLTE', b'abcd'), chunk(b'PLTE', b'abc') * 2, chunk(b'IEND', b''), chunk(b'ABCD', b'')],
    ids=lambda extra: extra[4:8].decode())
def test_chunks_left_to_others(extra):
    pixels = values('rgb', 4, 4)
    assert decode_png(png(pixels, RGB)) is not None
    assert decode_png(png(pixels, RGB, before=extra)) is None
    assert decode_png(png(pixels, RGB, after=extra)) is None


def _with_header(*fields) -> bytes:
    whole = png(values('gray', 4, 8), GRAY)
    return SIGNATURE + header(*fields) + whole[whole.index(b'IDAT') - 4:]


@pytest.mark.parametrize('data', [
    b'', SIGNATURE, SIGNATURE + chunk(b'IEND', b''), SIGNATURE + header(2, 2),
    _with_header(0, 4), _with_header(8, 0), _with_header(1 << 31, 1 << 31),
    _with_header(1 << 14, 1 << 13), _with_header(8, 4, GRAY, 4), _with_header(8, 4, PALETTE),
    _with_header(4, 4, GRAY_ALPHA), _with_header(8, 4, GRAY, 8, (0, 0, 1)),
    _with_header(8, 4, GRAY, 8, (1, 0, 0)), _with_header(8, 4, GRAY, 8, (0, 1, 0)),
    png(values('gray', 4, 4), GRAY) + b'more', b'\xff\xd8' + png(values('gray', 4, 4), GRAY),
    png(values('gray', 4, 4), GRAY).replace(b'\0\0\0\0IEND', b'\xff\xff\xff\xffIEND'),
    png(values('gray', 4, 4), GRAY, num_parts=2).replace(
        b'IDAT', chunk(b'tIME', bytes(7))[4:] + b'\0\0\0\x0dIDAT', 1)],
    ids=map(str, itertools.count()))  # the bytes are random, and ids should not be
def test_files_left_to_others(data):
    assert decode_png(data, 'unchanged') is None


def _streams():
    lines = filtered(values('gray', 4, 8), [0, 1, 2, 3])
    good = zlib.compress(lines)
    yield 'a wrong checksum', good[:-1] + bytes([good[-1] ^ 1])
    yield 'no checksum', good[:-4]
    yield 'more after it', good + b'x'
    yield 'a row too many', zlib.compress(lines + lines[:9])
    yield 'a byte too many', zlib.compress(lines + b'x')
    yield 'a byte too few', zlib.compress(lines[:-1])
    yield 'nothing', b''
    yield 'no stream', b'\0' * 40
    yield 'a bomb', zlib.compress(bytes(1 << 24))
    yield 'a filter that there is not', zlib.compress(lines[:9] + b'\5' + lines[10:])
    yield 'no zlib header', good[2:]
    yield 'a dictionary', b'\x78\xbb\0\0\0\1' + good[2:]


@pytest.mark.parametrize(('name', 'stream'), [pytest.param(*s, id=s[0]) for s in _streams()])
def test_streams_left_to_others(name, stream):
    assert decode_png(png(np.zeros((4, 8), np.uint8), GRAY, stream=stream), 'unchanged') is None


def test_cut_anywhere():
    data = png(values('rgb', 5, 5), RGB, num_parts=3)
    assert decode_png(data) is not None
    assert all(decode_png(data[:n]) is None for n in range(len(data)))


def _mended(data: bytes) -> bytes:
    """The chunks with their CRCs made right again, as far as the lengths lead."""
    parts, position = [SIGNATURE], 8
    while position + 12 <= len(data):
        length = struct.unpack_from('>I', data, position)[0]
        parts.append(chunk(data[position + 4:position + 8],
                           data[position + 8:position + 8 + length]))
        position += 12 + length
    return b''.join(parts)


def test_damaged_files_are_read_as_the_others_read_them():
    num_read = 0
    for n in range(500):
        kind = ('gray', 'rgb', 'rgba', 'palette')[n % 4]
        data = bytearray(png(values(kind, 9, 11, smooth=n % 3 == 0), KINDS[kind][0],
                             random.choices(range(5), k=9), KINDS[kind][3], num_parts=n % 3 + 1,
                             level=n % 10))
        for _ in range(n % 3 + 1):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        data = _mended(bytes(data)) if n % 2 else bytes(data)
        ours = decode_png(data, 'unchanged', 'pillow')
        if ours is not None:
            num_read += 1
            assert same(ours, theirs(data, 'unchanged', 'pillow'))
    assert 0 < num_read < 250  # what is hit is the palette mostly, or nothing that has a meaning


def test_switched_off_or_without_isal(monkeypatch):
    data = png(values('gray', 4, 4), GRAY)
    assert decode_png(data) is not None
    monkeypatch.setenv('SEGPLUG_KERNELS', 'off')
    assert decode_png(data) is None
    monkeypatch.delenv('SEGPLUG_KERNELS')
    monkeypatch.setitem(sys.modules, 'isal', None)  # as if it were not installed
    module._isal.cache_clear()
    try:
        assert decode_png(data) is None
    finally:
        module._isal.cache_clear()


def test_small_and_huge_files_and_other_flags_are_left(monkeypatch):
    data = png(values('gray', 10, 10), GRAY)
    assert decode_png(data, 'grayscale') is decode_png(data, backend='turbojpeg') is None
    monkeypatch.setattr(module, '_LARGEST', 100)
    monkeypatch.setattr(module, '_SMALLEST', 100)
    assert decode_png(data) is not None
    monkeypatch.setattr(module, '_SMALLEST', 101)
    assert decode_png(data) is None
    monkeypatch.setattr(module, '_SMALLEST', 100)
    monkeypatch.setattr(module, '_LARGEST', 99)
    assert decode_png(data) is None


def test_threads_do_not_disturb_each_other():
    images = [values('rgb', 60, 60, smooth=True) for _ in range(4)]
    files = [png(img, RGB, random.choices(range(5), k=60)) for img in images]
    right = [0] * 4

    def read(n):
        right[n] = sum(same(decode_png(files[n]), images[n][..., ::-1]) for _ in range(20))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [20] * 4


@pytest.mark.skipif('SEGPLUG_TEST_DATA' not in os.environ, reason='SEGPLUG_TEST_DATA is not set')
def test_camvid():
    files = sorted((Path(os.environ['SEGPLUG_TEST_DATA']) / 'camvid').rglob('*.png'))
    if not files:
        pytest.skip('there is no PNG of CamVid below SEGPLUG_TEST_DATA')
    for path in files[::max(len(files) // 8, 1)]:
        data = path.read_bytes()
        for way in WAYS:
            ours = decode_png(data, *way)
            assert ours is None or same(ours, theirs(data, *way))
