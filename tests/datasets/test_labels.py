"""Values of labels: tables by hand, colours, and what is no label."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from segplug.datasets.labels import (
    check_label,
    check_values,
    color_items,
    decode_colors,
    decode_label,
    ids_of_colors,
    label_table,
    mapped,
    value_items,
)
from segplug.errors import ConfigError, DataError
from segplug.ops.frames import Source

RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 4, (6, 8), dtype=np.uint8)
COLORS = [(0, 0, 0), (255, 0, 0), (0, 0, 255), (1, 2, 3)]


def png(img, **kwargs):
    buffer = io.BytesIO()
    img.save(buffer, 'PNG', **kwargs)
    return buffer.getvalue()


@pytest.mark.parametrize(('label_map', 'reduce', 'expected'), [
    ({0: 3, 3: 255}, False, {0: 3, 1: 1, 3: 255, 255: 255}),
    (None, True, {0: 255, 1: 0, 2: 1, 254: 253, 255: 255}),
    # First down by one, then mapped: 1 -> 0 -> 7, 2 -> 1 -> 1, 8 -> 7 -> 0.
    ({0: 7, 7: 0}, True, {0: 255, 1: 7, 2: 1, 8: 0, 255: 255}),
    # 300 cannot stand in a file of 8 bits.
    ({300: 1, 2: 0}, False, {2: 0, 255: 255}),
])
def test_label_table_by_hand(label_map, reduce, expected):
    table = label_table(label_map, reduce)
    assert table.dtype == np.uint8
    assert table.shape == (256,)
    assert {k: int(table[k]) for k in expected} == expected


def test_label_table_of_16_bits():
    table = label_table({1000: 3}, False, size=65536)
    assert table.shape == (65536,)
    assert table.dtype == np.uint16
    assert table[[1000, 999, 65535]].tolist() == [3, 999, 65535]
    # 300 classes, 65535 ignored: 0 -> 65535, 1 -> 0, 256 -> 255, which is a class.
    table = label_table(None, True, ignore_index=65535, size=65536)
    assert table[[0, 1, 256, 300, 65535]].tolist() == [65535, 0, 255, 299, 65535]
    assert label_table({0: 300}, False).dtype == np.uint16
    # 0 becomes the ignored 300, which no file of 8 bits holds; the map sends it on.
    assert label_table({300: 7}, True, ignore_index=300)[[0, 1]].tolist() == [7, 0]


def test_no_table_where_nothing_changes():
    assert label_table(None, False) is None
    assert label_table({0: 0, 1: 1}, False) is None


@pytest.mark.parametrize('label_map', [{0: -1}, {-1: 255}, {0: 65536}])
def test_maps_that_leave_16_bits(label_map):
    with pytest.raises(ConfigError, match='from 16 bits to 16 bits'):
        label_table(label_map, False)


@pytest.mark.parametrize(('label', 'label_map', 'expected'), [
    (np.array([[0, 300]], np.uint16), None, np.array([[0, 300]], np.uint16)),
    (np.array([[0, 300]], np.uint16), {300: 2}, np.array([[0, 2]], np.uint8)),
    (np.array([[0, 200]], np.uint16), None, np.array([[0, 200]], np.uint8)),
    (np.array([[0, 1]], np.uint8), {1: 400}, np.array([[0, 400]], np.uint16)),
    (np.array([[0, 1]], np.uint8), {1: 4, 0: 2}, np.array([[2, 4]], np.uint8)),
])
def test_a_label_is_uint8_wherever_it_can_be(label, label_map, expected):
    found = mapped(label, label_map, False)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_label_is_wide_where_the_ignored_value_is():
    label = np.array([[0, 7]], np.uint8)
    for label_map in (None, {7: 3}):
        assert mapped(label, label_map, False, ignore_index=65535).dtype == np.uint16


def test_values_of_the_file_come_first():
    # 0 and 255 of a mask: background and a thing; then the data set keeps the thing alone.
    table = label_table({0: 255, 1: 0}, False, value_map={255: 1})
    assert table[[0, 255, 7]].tolist() == [255, 0, 7]
    # 255 -> 1, then down by one -> 0.
    assert label_table(None, True, value_map={255: 1})[[0, 255, 3]].tolist() == [255, 0, 2]
    found = mapped(np.array([[0, 255]], np.uint8), None, False, value_map={255: 1})
    assert found.tolist() == [[0, 1]]


def test_value_maps():
    assert value_items({'255': 1}) == {255: 1}
    for value_map in ({'a': 1}, {0: None}, [0, 1], {0: -1}, {70000: 1}):
        with pytest.raises(ConfigError, match='value_map leads from'):
            value_items(value_map)


def png_by_hand(values, bits, interlaced=False):
    """A grey PNG of few bits or in seven passes (Adam7), which Pillow does not write."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1)] if interlaced else [(0, 0, 1, 1)]
    rows = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits:].ravel()).tobytes()
            for y, x, dy, dx in passes for row in values[y::dy, x::dx] if row.size]

    def chunk(name, body):
        return struct.pack('>I', len(body)) + name + body + struct.pack('>I',
                                                                        zlib.crc32(name + body))
    header = struct.pack('>2I5B', *values.shape[::-1], bits, 0, 0, 0, interlaced)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
            + chunk(b'IDAT', zlib.compress(b''.join(b'\0' + r for r in rows)))
            + chunk(b'IEND', b''))


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
@pytest.mark.parametrize('bits', [1, 2, 4])
def test_pngs_of_few_bits_keep_their_values(bits, backend):
    values = np.arange(16, dtype=np.uint8).reshape(2, 8) % 2 ** bits
    found = check_label(decode_label(png_by_hand(values, bits), 'a.png', backend), 'a.png', (2, 8))
    np.testing.assert_array_equal(found, values)
    assert found.dtype == np.uint8


@pytest.mark.parametrize('bits', [4, 8])
def test_interlaced_png(bits):
    values = (np.arange(99).reshape(9, 11) % 2 ** bits).astype(np.uint8)
    np.testing.assert_array_equal(decode_label(png_by_hand(values, bits, True), 'a.png'), values)


def test_a_photo_is_no_label():
    Image.fromarray(np.zeros((6, 8, 4), np.uint8), 'CMYK').save(buffer := io.BytesIO(), 'JPEG')
    with pytest.raises(DataError, match=r'a\.jpg has 4 channels'):
        check_label(decode_label(buffer.getvalue(), 'a.jpg'), 'a.jpg', None)


def palette_image():
    img = Image.fromarray(LABEL)
    img.putpalette([v for color in COLORS for v in color])
    return img


def test_kinds_of_png():
    np.testing.assert_array_equal(decode_label(png(palette_image()), 'a.png'), LABEL)
    wide = LABEL.astype(np.uint16) * 1000
    np.testing.assert_array_equal(decode_label(png(Image.fromarray(wide)), 'a.png'), wide)
    # One grey is marked as transparent, which makes cv2 give four channels.
    np.testing.assert_array_equal(
        decode_label(png(Image.fromarray(LABEL), transparency=1), 'a.png'), LABEL)


def tiff(array, **kwargs):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **kwargs)
    return buffer.getvalue()


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32, np.int64, np.float32])
def test_tiff_of_any_type(dtype):
    label = check_label(decode_label(tiff(LABEL.astype(dtype)), 'a.tif'), 'a.tif', (6, 8))
    assert label.dtype == np.uint8
    np.testing.assert_array_equal(label, LABEL)


def test_a_tiff_with_a_compression_that_tifffile_lacks_is_read_by_pillow():
    buffer = io.BytesIO()
    Image.fromarray(LABEL).save(buffer, 'TIFF', compression='tiff_lzw')
    np.testing.assert_array_equal(decode_label(buffer.getvalue(), 'a.tif'), LABEL)


@pytest.mark.parametrize(('data', 'path'), [
    (png(Image.fromarray(np.array(COLORS, np.uint8)[LABEL])), 'a.png'),
    (png(Image.fromarray(np.array(COLORS, np.uint8)[LABEL]).convert('RGBA')), 'a.png'),
    (png(palette_image()), 'a.png'),
    (tiff(np.array(COLORS, np.uint8)[LABEL], photometric='rgb'), 'a.tif'),
])
def test_colour_masks(data, path):
    mask = decode_colors(data, path)
    for color_map in (COLORS, {'#000000': 0, '#FF0000': 1, '0000ff': 2, '#010203': 3}):
        found = ids_of_colors(mask, color_items(color_map), path)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, LABEL)


def test_three_hundred_colours():
    colors = [(i // 256, i % 256, 7) for i in range(300)]
    ids = np.arange(300).reshape(15, 20)
    found = ids_of_colors(np.array(colors, np.uint8)[ids], color_items(colors), 'a.png')
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, ids)


def test_a_colour_in_no_map_is_told_with_its_count():
    mask = np.zeros((4, 4, 3), np.uint8)
    mask[0, :3], mask[1, 0] = (18, 52, 86), (0, 0, 1)
    with pytest.raises(DataError, match='a.png has colours .* Got: #123456 in 3 pixels, #000001 '
                                        'in 1 pixels. Expected: #000000, #ff0000'):
        ids_of_colors(mask, color_items(COLORS), 'a.png')
    with pytest.raises(DataError, match='as PNG: this format changes colours'):
        ids_of_colors(mask, color_items(COLORS), 'a.jpg')
    with pytest.raises(DataError, match='is no colour mask'):
        ids_of_colors(mask.astype(np.uint16), color_items(COLORS), 'a.png')


@pytest.mark.parametrize(('color_map', 'said'), [
    ({'red': 0}, 'red -> 0'),
    ({'#ff0000': -1}, '#ff0000 -> -1'),
    ({'#ff0000': 70000}, '#ff0000 -> 70000'),
    ([(0, 0, 300)], '#0000'),
    ([(0, 0, 0), (0, 0, 0)], 'stands twice'),
    ({'#FF0000': 0, 'ff0000': 1}, 'stands twice.*#ff0000 -> 0, #ff0000 -> 1'),
])
def test_colour_maps_that_are_none(color_map, said):
    with pytest.raises(ConfigError, match=said):
        color_items(color_map)


@pytest.mark.parametrize(('label', 'said'), [
    (np.zeros((6, 8, 3)), r'a\.png has 3 channels.*color_map='),
    (np.zeros((2, 6, 8, 3)), '4 dimensions'),
    (np.zeros((8, 6)), r'differ in size.*label \(8, 6\) .*Expected: \(6, 8\)'),
    (np.full((6, 8), -1), 'outside 0 to 65535. Got: -1 to 0 .int64.; 48 pixels.*as 255'),
    (np.full((6, 8), 65536), 'outside 0 to 65535. Got: 0 to 65536'),
    (np.full((6, 8), 0.5), r'no whole numbers. Got: 0\.5 and 47 more'),
    (np.full((6, 8), np.nan), 'no whole numbers. Got: nan'),
    (np.full((6, 8), 'a'), 'holds no numbers'),
    (np.zeros((6, 8), complex), 'holds no numbers'),
])
def test_what_is_no_label(label, said):
    with pytest.raises(DataError, match=said):
        check_label(label, 'a.png', (6, 8))


@pytest.mark.parametrize('label', [LABEL[..., None], LABEL[None], LABEL > 0, LABEL.astype(float)])
def test_what_is_a_label_too(label):
    found = check_label(label, 'a.npy', (6, 8))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, label.squeeze())


@pytest.mark.parametrize('label', [
    np.array([[0, 18, 255]], np.uint8), np.array([[0, 18, 255]], np.uint16),
    Source(np.array([[0, 18, 255]], np.uint8)), np.broadcast_to(np.uint8(18), (2, 2))])
def test_values_of_classes_and_ignored_ones_are_right(label):
    check_values(label, 'a.png', 19)
    with pytest.raises(DataError, match=r'a\.png holds values that are no class. Got: 18 in .*'
                                        'Expected: 0 to 17, or 255'):
        check_values(label, 'a.png', 18)


def test_a_value_of_16_bits_is_a_class_where_there_are_as_many():
    label = np.array([[299, 300]], np.uint16)
    check_values(label, 'a.png', 300, ignore_index=300)
    with pytest.raises(DataError, match='299, 300 in 2 pixels'):
        check_values(label, 'a.png', 299, ignore_index=65535)
