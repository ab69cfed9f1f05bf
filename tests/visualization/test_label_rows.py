"""Label files written by rows, read by Pillow and tifffile."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from segplug.visualization.label_rows import write_label_rows

PALETTE = [(10, 20, 30), (200, 0, 100), (0, 255, 0)]


def labels(height):
    return np.random.default_rng(0).integers(0, 3, (height, 41), dtype=np.uint8)


@pytest.mark.parametrize('height', [1, 255, 256, 700])
@pytest.mark.parametrize('step', [1, 100, 300, 1000])
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_bands_of_any_height(suffix, step, height):
    expected, file = labels(height), io.BytesIO()
    write_label_rows(file, suffix, expected.shape, PALETTE,
                     (expected[i:i + step] for i in range(0, height, step)))
    with Image.open(io.BytesIO(file.getvalue())) as img:
        assert img.mode == 'P'
        np.testing.assert_array_equal(np.asarray(img), expected)
        assert img.convert('RGB').getpixel((0, 0)) == PALETTE[expected[0, 0]]


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_more_classes_than_a_palette_holds(suffix):
    """Bands are int32 then, as a network's labels are above 256 classes."""
    expected, file = np.arange(300 * 41, dtype=np.int32).reshape(300, 41) % 300, io.BytesIO()
    write_label_rows(file, suffix, expected.shape, [(1, 2, 3)] * 300,
                     (expected[i:i + 70] for i in range(0, 300, 70)))
    with Image.open(io.BytesIO(file.getvalue())) as img:
        np.testing.assert_array_equal(np.asarray(img), expected)


def test_a_tiff_takes_over_the_place_on_the_map(tmp_path):
    place = {33550: (0.5, 0.5, 0.0), 33922: (0.0, 0.0, 0.0, 400000.0, 5600000.0, 0.0),
             34735: (1, 1, 0, 1, 3072, 0, 1, 25832)}
    tifffile.imwrite(tmp_path / 'map.tif', np.zeros((9, 8), np.uint8), extratags=[
        (33550, 'd', 3, place[33550], True), (33922, 'd', 6, place[33922], True),
        (34735, 'H', 8, place[34735], True)])
    with open(tmp_path / 'labels.tif', 'wb') as file:
        write_label_rows(file, '.tif', (9, 41), PALETTE, [labels(9)], tmp_path / 'map.tif')
    with tifffile.TiffFile(tmp_path / 'labels.tif') as written:
        tags = written.pages[0].tags
        assert {code: tags[code].value for code in place} == place
        np.testing.assert_array_equal(written.asarray(), labels(9))
