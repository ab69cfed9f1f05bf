"""Loading: pixels, look-up tables, and a name for every broken file."""

import cv2
import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from PIL import Image

from segplug.datasets.transforms.loading import (
    InferencerLoader,
    LoadAnnotations,
    LoadImageFromFile,
    LoadImageFromNDArray,
)
from segplug.errors import ConfigError, DataError, ShapeError
from segplug.models.preprocessor import SegDataPreProcessor
from segplug.registry import TRANSFORMS

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


def test_sixteen_bits_become_eight_where_they_fit(tmp_path):
    wide = np.array([[0, 300], [7, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / 'wide.png'), wide)
    found = load_label(tmp_path / 'wide.png')['gt_seg_map']
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, wide)
    found = load_label(tmp_path / 'wide.png', label_map={300: 2, 65535: 255})['gt_seg_map']
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [[0, 2], [7, 255]])
    # The data set's value of no class, where 255 is a class.
    found = load_label(tmp_path / 'wide.png', reduce_zero_label=True, ignore_index=65535)
    np.testing.assert_array_equal(found['gt_seg_map'], [[65535, 299], [6, 65535]])


def test_labels_in_arrays(tmp_path):
    np.save(tmp_path / 'a.npy', LABEL.astype(np.int64))
    np.savez(tmp_path / 'a.npz', depth=LABEL * 0.5, label=LABEL)
    scipy.io.savemat(tmp_path / 'a.mat', dict(a=LABEL, b=LABEL * 2))
    for name, variable in (('a.npy', None), ('a.npz', None), ('a.mat', 'a')):
        found = load_label(tmp_path / name, LoadAnnotations(variable=variable))['gt_seg_map']
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, LABEL)
    with pytest.raises(DataError, match=r'a\.mat cannot be used: 2 of its arrays'):
        load_label(tmp_path / 'a.mat')


def test_colour_masks(files):
    colors = [(i, 2 * i, 255 - i) for i in range(5)]
    Image.fromarray(np.array(colors, np.uint8)[LABEL]).save(files / 'mask.png')
    found = load_label(files / 'mask.png', LoadAnnotations(color_map=colors), label_map={4: 255})
    np.testing.assert_array_equal(found['gt_seg_map'], np.where(LABEL == 4, 255, LABEL))
    with pytest.raises(DataError, match=r'mask\.png has colours .*#0408fb in'):
        load_label(files / 'mask.png', LoadAnnotations(color_map=colors[:4]))


def turned(folder, orientation, shape=(48, 64)):
    """A sample whose image has an orientation tag, and a label of ``shape``."""
    img = Image.fromarray(IMG)
    tag = img.getexif()
    tag[274] = orientation
    img.save(folder / 'turned.jpg', exif=tag)
    Image.fromarray(np.zeros(shape, np.uint8)).save(folder / 'drawn.png')
    return dict(img_path=str(folder / 'turned.jpg'), seg_map_path=str(folder / 'drawn.png'))


def test_an_image_that_exif_turns_and_its_label(files):
    # 6 is a quarter turn: 48 x 64 becomes 64 x 48, and the label's size tells what it is for.
    results = LoadAnnotations()(LoadImageFromFile()(turned(files, 6, (64, 48))))
    assert results['img'].shape[:2] == results['gt_seg_map'].shape == (64, 48)
    with pytest.raises(DataError, match=r'drawn\.png and its image differ in size'):
        LoadAnnotations()(LoadImageFromFile()(turned(files, 6)))
    # 3 is half a turn, which no size tells.
    with pytest.raises(DataError, match=r'turned\.jpg is turned by its EXIF.*orientation 3.*'
                                        'color_ignore_orientation'):
        LoadAnnotations()(LoadImageFromFile()(turned(files, 3)))
    for color_type in ('color_ignore_orientation', 'unchanged'):
        for orientation in (3, 6):
            results = LoadAnnotations()(LoadImageFromFile(color_type=color_type)(
                turned(files, orientation)))
            assert results['img'].shape[:2] == (48, 64)
    assert LoadImageFromFile()(dict(img_path=turned(files, 3)['img_path']))['img'].shape[0] == 48


@pytest.mark.parametrize(('dtype', 'expected'), [
    (np.uint8, np.uint8), (np.uint16, np.uint16), ('>u2', np.uint16), (np.int16, np.int16),
    (np.float32, np.float32), (np.float64, np.float32), (np.int32, np.float32), (bool, np.uint8)])
def test_types_of_images(dtype, expected, tmp_path):
    img = RNG.integers(0, 2, (4, 6, 7)).astype(dtype)
    np.save(tmp_path / 'a.npy', img)
    found = LoadImageFromFile()(dict(img_path=str(tmp_path / 'a.npy')))['img']
    assert found.dtype == expected
    np.testing.assert_array_equal(found, img)


@pytest.mark.parametrize(('img', 'said'), [
    (np.full((4, 4), np.nan), 'nan or infinity. Got: 16 values'),
    (np.zeros((2, 4, 4, 3)), r'is none. Got: \(2, 4, 4, 3\)'),
    (np.zeros((0, 4)), 'is none'),
    (np.full((4, 4), 'a'), 'is none')])
def test_what_is_no_image(img, said, tmp_path):
    np.save(tmp_path / 'a.npy', img)
    with pytest.raises(DataError, match=rf'a\.npy .*{said}'):
        LoadImageFromFile()(dict(img_path=str(tmp_path / 'a.npy')))


def test_five_bands_through_a_pipeline(tmp_path):
    bands = RNG.integers(0, 60000, (48, 64, 5), dtype=np.uint16)
    tifffile.imwrite(tmp_path / 'a.tif', bands.transpose(2, 0, 1), photometric='minisblack')
    Image.fromarray(LABEL).save(tmp_path / 'label.png')
    results = dict(img_path=str(tmp_path / 'a.tif'), seg_map_path=str(tmp_path / 'label.png'))
    for step in (dict(type='LoadImageFromFile', imdecode_backend='tifffile',
                      color_type='unchanged'), dict(type='LoadAnnotations'),
                 dict(type='RandomResize', scale=(96, 72), ratio_range=(1., 1.)),
                 dict(type='RandomCrop', crop_size=(32, 40)), dict(type='RandomFlip', prob=1.),
                 dict(type='PackSegInputs')):
        results = TRANSFORMS.build(step)(results)
    assert results['inputs'].shape == (5, 32, 40)
    assert results['inputs'].dtype == torch.uint16
    preprocessor = SegDataPreProcessor(mean=[30000.] * 5, std=[10000.] * 5)
    out = preprocessor(dict(inputs=[results['inputs']], data_samples=[results['data_samples']]),
                       training=True)['inputs']
    expected = (results['inputs'].numpy().astype(np.float32) - 30000) / 10000
    np.testing.assert_allclose(out[0].numpy(), expected, rtol=1e-6)


def test_inferencer_loader_takes_names_arrays_and_dicts(files):
    loader = InferencerLoader()
    for given in (str(files / 'a.png'), files / 'a.png', IMG, dict(img=IMG),
                  dict(img_path=str(files / 'a.png'))):
        np.testing.assert_array_equal(loader(given)['img'], IMG)
    with pytest.raises(ShapeError, match='cannot take this input'):
        loader(3)


def test_a_set_without_labels_and_a_sample_without_path():
    assert 'gt_seg_map' not in LoadAnnotations()(dict(seg_map_path=None))
    with pytest.raises(DataError, match=r'x\.png comes without seg_map_path'):
        LoadAnnotations()(dict(img_path='x.png'))


def test_the_loader_of_arrays_stands_in_for_the_loader_of_files():
    settings = dict(color_type='unchanged', imdecode_backend='pillow', backend_args=None)
    loader = TRANSFORMS.build(dict(type='LoadImageFromNDArray', to_float32=True, **settings))
    assert loader(dict(img=np.zeros((2, 3, 3), np.uint8)))['img'].dtype == np.float32
    assert repr(loader) == (  # as mmcv writes its own
        "LoadImageFromNDArray(ignore_empty=False, to_float32=True, color_type='unchanged', "
        "imdecode_backend='pillow', backend_args=None)")
