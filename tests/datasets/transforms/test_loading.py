"""Loading: pixels, look-up tables, and a name for every broken file."""

import cv2
import numpy as np
import pytest
from PIL import Image

from segplug.datasets.transforms.loading import (
    LoadAnnotations,
    LoadImageFromFile,
    LoadImageFromNDArray,
    is_truncated,
    label_table,
)
from segplug.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
IMG = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)
LABEL = RNG.integers(0, 5, (48, 64), dtype=np.uint8)


@pytest.fixture
def files(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), IMG)
    cv2.imwrite(str(tmp_path / 'a.jpg'), IMG)
    Image.fromarray(LABEL).save(tmp_path / 'label.png')
    return tmp_path


def load(path):
    """Read ``path`` as what its name says it is."""
    if path.name == 'label.png':
        return load_label(path)
    return LoadImageFromFile()(dict(img_path=str(path)))


def load_label(path, transform=None, **results):
    return (transform or LoadAnnotations())(dict(seg_map_path=str(path), **results))


def test_image_comes_as_bgr_with_its_shapes(files):
    results = LoadImageFromFile()(dict(img_path=str(files / 'a.png')))
    np.testing.assert_array_equal(results['img'], IMG)
    assert results['img'].flags.c_contiguous
    assert results['img_shape'] == results['ori_shape'] == (48, 64)
    # Pillow reads RGB.
    with Image.open(files / 'a.png') as rgb:
        np.testing.assert_array_equal(results['img'][..., ::-1], rgb)


def test_image_options(files):
    results = LoadImageFromFile(to_float32=True, color_type='grayscale')(
        dict(img_path=str(files / 'a.png')))
    assert results['img'].dtype == np.float32
    assert results['img'].shape == (48, 64)


@pytest.mark.parametrize('name', ['a.png', 'a.jpg', 'label.png'])
@pytest.mark.parametrize(('harm', 'said'), [
    (lambda data: None, 'cannot be read. Got: No such file'),
    (lambda data: b'', 'is empty'),
    (lambda data: data[:-20], 'cannot be decoded.*ends too early'),
    (lambda data: data[:len(data) // 2], 'cannot be decoded.*ends too early'),
    (lambda data: b'not an image', 'cannot be decoded'),
])
def test_each_harm_names_the_file(files, name, harm, said):
    file = files / name
    data = harm(file.read_bytes())
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(DataError, match=f'{name} {said}'):
        load(file)


@pytest.mark.parametrize('name', ['a.png', 'label.png'])
def test_a_flipped_bit_inside_a_png_is_found(files, name):
    data = bytearray((files / name).read_bytes())
    data[len(data) // 2] ^= 0x55
    (files / name).write_bytes(data)
    with pytest.raises(DataError, match=f'{name} cannot be decoded'):
        load(files / name)


def test_end_markers():
    jpeg = b'\xff\xd8 thumbnail \xff\xd9 \xff\xda pixels'
    assert is_truncated(jpeg)
    assert not is_truncated(jpeg + b'\xff\xd9')
    assert not is_truncated(jpeg + b'\xff\xd9' + b'a maker may append')
    assert not is_truncated(b'another format')


def test_refused_arguments():
    with pytest.raises(ConfigError, match='name it backend_args'):
        LoadImageFromFile(file_client_args=dict(backend='disk'))
    with pytest.raises(ConfigError, match='ignore_empty would replace'):
        LoadImageFromFile(ignore_empty=True)


def test_an_array_is_an_image_too():
    results = LoadImageFromNDArray()(dict(img=IMG))
    assert results['ori_shape'] == (48, 64)
    assert results['img_path'] is None


def test_label_comes_as_uint8_in_seg_fields(files):
    fields = []
    results = load_label(files / 'label.png', seg_fields=fields, ori_shape=(48, 64))
    np.testing.assert_array_equal(results['gt_seg_map'], LABEL)
    assert results['gt_seg_map'].dtype == np.uint8
    assert results['seg_fields'] == ['gt_seg_map']
    assert fields == []


def test_palette_files_keep_their_indices(tmp_path):
    img = Image.fromarray(LABEL)
    img.putpalette(RNG.integers(0, 256, 768, dtype=np.uint8).tobytes())
    img.save(tmp_path / 'p.png')
    with Image.open(tmp_path / 'p.png') as saved:
        assert saved.mode == 'P'
    np.testing.assert_array_equal(load_label(tmp_path / 'p.png')['gt_seg_map'], LABEL)


@pytest.mark.parametrize(('label_map', 'reduce', 'expected'), [
    ({0: 3, 3: 255}, False, {0: 3, 1: 1, 3: 255, 255: 255}),
    (None, True, {0: 255, 1: 0, 2: 1, 254: 253, 255: 255}),
    # First down by one, then mapped: 1 -> 0 -> 7, 2 -> 1 -> 1, 8 -> 7 -> 0.
    ({0: 7, 7: 0}, True, {0: 255, 1: 7, 2: 1, 8: 0, 255: 255}),
])
def test_label_table_by_hand(label_map, reduce, expected):
    table = label_table(label_map, reduce)
    assert table.dtype == np.uint8
    assert {k: int(table[k]) for k in expected} == expected


def test_no_table_where_nothing_changes():
    assert label_table(None, False) is None
    assert label_table({0: 0, 1: 1}, False) is None


def test_the_table_reaches_the_label(files):
    results = load_label(files / 'label.png', label_map={0: 4, 4: 0}, reduce_zero_label=False)
    expected = np.array([4, 1, 2, 3, 0])[LABEL]
    np.testing.assert_array_equal(results['gt_seg_map'], expected)


def test_reduce_zero_label_must_agree_with_the_data_set(files):
    transform = LoadAnnotations(reduce_zero_label=True)
    np.testing.assert_array_equal(load_label(files / 'label.png', transform)['gt_seg_map'],
                                  np.where(LABEL == 0, 255, LABEL - 1))
    with pytest.raises(ConfigError, match='differ in reduce_zero_label'):
        load_label(files / 'label.png', transform, reduce_zero_label=False)


def test_labels_that_do_not_fit(files, tmp_path):
    with pytest.raises(DataError, match=r'a\.png has 3 channels.*\(48, 64, 3\)'):
        load_label(files / 'a.png')
    with pytest.raises(DataError, match=r'label\.png and its image differ in size.*'
                                        r'label \(48, 64\) .*Expected: \(64, 48\)'):
        load_label(files / 'label.png', ori_shape=(64, 48))
    cv2.imwrite(str(tmp_path / 'wide.png'), np.full((4, 4), 300, np.uint16))
    with pytest.raises(DataError, match='values outside 0 to 255. Got: 300 to 300'):
        load_label(tmp_path / 'wide.png')
    cv2.imwrite(str(tmp_path / 'wide.png'), np.full((4, 4), 200, np.uint16))
    assert load_label(tmp_path / 'wide.png')['gt_seg_map'].dtype == np.uint8


def test_a_set_without_labels_and_a_sample_without_path():
    assert 'gt_seg_map' not in LoadAnnotations()(dict(seg_map_path=None))
    with pytest.raises(DataError, match=r'x\.png comes without seg_map_path'):
        LoadAnnotations()(dict(img_path='x.png'))
