"""Sizes from headers: as PIL and OpenCV see them, or unknown."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from segplug.engine.image_size import image_size


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'bmp', 'tif', 'webp'])
@pytest.mark.parametrize('shape', [(5, 7), (300, 2)])
def test_height_and_width_of_each_format(suffix, shape, tmp_path):
    file = tmp_path / f'bild ü.{suffix}'
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(file)
    assert image_size(file) == shape
    assert image_size(str(file)) == shape


def test_jpeg_segments_before_the_frame_are_skipped(tmp_path):
    """An EXIF block that holds a thumbnail, a JPEG of its own; progressive; fill bytes."""
    thumbnail = io.BytesIO()
    Image.new('RGB', (16, 8)).save(thumbnail, 'jpeg')
    file = tmp_path / 'a.jpg'
    Image.new('RGB', (70, 50)).save(file, exif=b'Exif\0\0' + thumbnail.getvalue(),
                                    progressive=True)
    assert image_size(file) == (50, 70)
    data = file.read_bytes()
    file.write_bytes(data[:2] + b'\xff\xff' + data[2:])  # T.81, B.1.1.2: any number of fill bytes
    assert image_size(file) == (50, 70)
    # A table of Huffman codes, whose marker C4 lies among those of frames: length 19, no codes.
    file.write_bytes(data[:2] + b'\xff\xc4\0\x13' + bytes(17) + data[2:])
    assert image_size(file) == (50, 70)


def test_sixteen_bit_and_palette_png(tmp_path):
    file = tmp_path / 'a.png'
    cv2.imwrite(str(file), np.zeros((4, 9), np.uint16))
    assert image_size(file) == (4, 9)
    Image.new('P', (9, 4)).save(file)
    assert image_size(file) == (4, 9)


@pytest.mark.parametrize('data', [
    b'', b'\x89PNG\r\n\x1a\n', b'\xff\xd8', b'\xff\xd8\xff', b'\xff\xd8\xff\xe0\0\x10', b'text',
    b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR' + struct.pack('>II', 0, 4),
    # The number of lines may come after the image (T.81, B.2.5).
    b'\xff\xd8\xff\xc0\0\x11\x08' + struct.pack('>HH', 0, 9)])
def test_broken_files_are_unknown(data, tmp_path):
    file = tmp_path / 'a.jpg'
    file.write_bytes(data)
    assert image_size(file) is None


def test_what_is_no_file_is_unknown(tmp_path):
    assert image_size(tmp_path) is None
    assert image_size(tmp_path / 'none.png') is None
    assert image_size('s3://bucket/a.png') is None


def test_a_huge_image_is_only_looked_at(tmp_path):
    """PIL warns of more than 89 million pixels and refuses twice that."""
    file = tmp_path / 'a.bmp'
    Image.new('1', (8, 8)).save(file)
    data = bytearray(file.read_bytes())
    for width, expected in ((10**4, (10**4, 10**4)), (10**5, None)):
        data[18:26] = struct.pack('<ii', width, 10**4)  # the width and height of a BMP
        file.write_bytes(data)
        assert image_size(file) == expected
