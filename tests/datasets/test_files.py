"""Files of every kind and harm; each that cannot be used is named."""

import io
import sys

import cv2
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

from segplug.datasets.files import (
    check_backend,
    decode,
    displayed,
    is_truncated,
    orientation,
    read_bands,
    read_bytes,
)
from segplug.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
IMG = RNG.integers(0, 256, (24, 32, 3), dtype=np.uint8)
BANDS = RNG.integers(0, 60000, (24, 32, 5), dtype=np.uint16)


def write(path):
    """A file of the kind that its name says."""
    kind = path.suffix
    if kind == '.npy':
        np.save(path, BANDS)
    elif kind == '.npz':
        np.savez_compressed(path, a=BANDS)
    elif kind == '.mat':
        scipy.io.savemat(path, dict(a=BANDS), do_compression=True)
    elif kind == '.tif':
        tifffile.imwrite(path, BANDS, photometric='minisblack', planarconfig='contig',
                         compression='zlib')
    else:
        cv2.imwrite(str(path), IMG)


def load(path, flag='unchanged', backend='tifffile', **kwargs):
    path = str(path)
    return decode(read_bytes(path, 'image'), path, 'image', flag, backend, **kwargs)


KINDS = ['a.png', 'a.jpg', 'a.tif', 'a.npy', 'a.npz', 'a.mat']


@pytest.mark.parametrize('name', KINDS)
def test_each_kind_is_read(name, tmp_path):
    write(tmp_path / name)
    found = load(tmp_path / name)
    if name == 'a.jpg':
        assert found.shape == IMG.shape
    else:
        np.testing.assert_array_equal(found, IMG if name == 'a.png' else BANDS)


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize(('harm', 'said'), [
    (lambda data: b'', 'is empty'),
    (lambda data: data[:len(data) // 2], 'cannot be decoded'),
    (lambda data: data[:40], 'cannot be decoded'),
    (lambda data: b'no file of any kind', 'cannot be decoded'),
])
def test_each_harm_names_the_file(name, harm, said, tmp_path):
    write(tmp_path / name)
    (tmp_path / name).write_bytes(harm((tmp_path / name).read_bytes()))
    with pytest.raises(DataError, match=f'The image .*{name} {said}'):
        load(tmp_path / name)


def test_a_folder_and_nothing_at_all(tmp_path):
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(DataError, match=r'a\.png cannot be read. Got: Is a directory'):
        load(tmp_path / 'a.png')
    with pytest.raises(DataError, match=r'b\.png cannot be read. Got: No such file'):
        load(tmp_path / 'b.png')


def test_a_choice_that_fails_names_the_file_too(tmp_path):
    np.savez(tmp_path / 'a.npz', a=IMG, b=IMG)
    with pytest.raises(DataError, match=r'The image .*a\.npz cannot be used: 2 of its arrays'):
        load(tmp_path / 'a.npz')
    np.testing.assert_array_equal(load(tmp_path / 'a.npz', variable='b'), IMG)


def test_what_cv2_cannot_read_of_a_tiff_says_what_can(tmp_path):
    write(tmp_path / 'a.tif')
    with pytest.raises(DataError, match="a.tif cannot be decoded.*imdecode_backend='tifffile'"):
        load(tmp_path / 'a.tif', 'color', 'cv2')
    tifffile.imwrite(tmp_path / 'a.tif', IMG.transpose(2, 0, 1), photometric='minisblack')
    with pytest.raises(DataError, match="it has 3 pages.*imdecode_backend='tifffile'"):
        load(tmp_path / 'a.tif', 'color', 'cv2')


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_modes_of_pictures(backend, tmp_path):
    path = tmp_path / 'a.png'
    alpha = np.dstack([IMG, np.full((24, 32), 9, np.uint8)])
    cv2.imwrite(str(path), alpha)
    np.testing.assert_array_equal(load(path, 'color', backend), IMG)  # alpha is dropped
    np.testing.assert_array_equal(load(path, 'unchanged', backend), alpha)
    cv2.imwrite(str(path), IMG[..., 0])
    np.testing.assert_array_equal(load(path, 'unchanged', backend), IMG[..., 0])
    np.testing.assert_array_equal(load(path, 'grayscale', backend), IMG[..., 0])
    np.testing.assert_array_equal(load(path, 'color', backend)[..., 2], IMG[..., 0])
    cv2.imwrite(str(path), BANDS[..., 0])
    np.testing.assert_array_equal(load(path, 'unchanged', backend), BANDS[..., 0])
    Image.fromarray(IMG).convert('CMYK').save(tmp_path / 'a.jpg', quality=100)
    assert load(tmp_path / 'a.jpg', 'color', backend).shape == IMG.shape


def test_sixteen_bits_of_colour(tmp_path):
    wide = BANDS[..., :3]
    cv2.imwrite(str(tmp_path / 'a.png'), wide)
    np.testing.assert_array_equal(load(tmp_path / 'a.png', 'unchanged', 'cv2'), wide)
    found = load(tmp_path / 'a.png', 'color', 'cv2')
    assert found.dtype == np.uint8
    # The high byte, rounded or not.
    assert np.abs(found.astype(int) - wide // 256).max() <= 1


def test_bands_are_in_the_files_order(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), IMG)  # IMG is BGR, the file RGB
    np.testing.assert_array_equal(read_bands(str(tmp_path / 'a.png')), IMG[..., ::-1])
    cv2.imwrite(str(tmp_path / 'grey.png'), IMG[..., 0])
    np.testing.assert_array_equal(read_bands(str(tmp_path / 'grey.png')), IMG[..., :1])
    for name in KINDS[2:]:
        write(tmp_path / name)
        np.testing.assert_array_equal(read_bands(str(tmp_path / name)), BANDS)


def test_what_is_shown_of_any_file(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), IMG)
    np.testing.assert_array_equal(displayed(str(tmp_path / 'a.png')), IMG[..., ::-1])
    # 0, 10, ..., 1000: the 2nd and 98th percentile are 20 and 980, 500 lies half way.
    np.save(tmp_path / 'a.npy', np.repeat(np.arange(0, 1001, 10)[None, :, None], 4, axis=2))
    found = displayed(str(tmp_path / 'a.npy'))
    assert found.shape == (1, 101, 3)
    assert found[0, [0, 2, 50, 98, 100]].tolist() == [[v] * 3 for v in (0, 0, 127, 255, 255)]
    tifffile.imwrite(tmp_path / 'a.tif', IMG[..., :2], photometric='minisblack',
                     planarconfig='contig')
    np.testing.assert_array_equal(displayed(str(tmp_path / 'a.tif')),
                                  IMG[..., :1].repeat(3, axis=2))
    np.save(tmp_path / 'a.npy', np.full((4, 4), 7.))
    assert not displayed(str(tmp_path / 'a.npy')).any()


def test_a_compression_that_tifffile_has_not(tmp_path, monkeypatch):
    """LZW, as many maps have it: without imagecodecs OpenCV reads it."""
    path = str(tmp_path / 'a.tif')
    Image.fromarray(IMG).save(path, compression='tiff_lzw')
    monkeypatch.delitem(tifffile.TIFF.DECOMPRESSORS._codecs, 5, raising=False)
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    np.testing.assert_array_equal(load(path, 'color', 'cv2'), IMG[..., ::-1])
    np.testing.assert_array_equal(read_bands(path), IMG)
    np.testing.assert_array_equal(displayed(path), IMG)
    with pytest.raises(DataError, match='a.tif cannot be used: its compression.*imagecodecs'):
        load(path, 'unchanged', 'tifffile')


def test_floats_as_gdal_compresses_them(tmp_path, monkeypatch):
    """PREDICTOR=3: without imagecodecs OpenCV reads it, too."""
    path, heights = str(tmp_path / 'a.tif'), IMG[..., 0].astype(np.float32) / 7
    cv2.imwrite(path, heights, [cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_PREDICTOR, 3])
    monkeypatch.delitem(tifffile.TIFF.UNPREDICTORS._codecs, 3, raising=False)
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    np.testing.assert_array_equal(read_bands(path), heights[..., None])
    with pytest.raises(DataError, match='its compression is not built in.*PREDICTOR.*imagecodecs'):
        load(path, 'unchanged', 'tifffile')


def test_the_tags_of_a_map_are_no_news(tmp_path, capfd):
    tifffile.imwrite(tmp_path / 'a.tif', IMG, photometric='rgb',
                     extratags=[(33922, 'd', 6, (0., 0., 0., 4e5, 5e6, 0.), True)])
    np.testing.assert_array_equal(load(tmp_path / 'a.tif', 'color', 'cv2'), IMG[..., ::-1])
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF'])
@pytest.mark.parametrize(('flag', 'backend'), [
    ('color', 'cv2'), ('color', 'pillow'), ('color_ignore_orientation', 'pillow'),
    ('unchanged', 'cv2'), ('unchanged', 'tifffile')])
def test_a_picture_is_shown_as_its_loader_turned_it(kind, flag, backend, tmp_path):
    img = Image.fromarray(IMG)
    tag = img.getexif()
    tag[274] = 6
    img.save(tmp_path / 'a', kind, exif=tag)
    loaded = load(tmp_path / 'a', flag, backend)
    assert displayed(str(tmp_path / 'a'), None, flag, backend).shape == loaded.shape


@pytest.mark.parametrize('most', [None, 4])
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF'])
def test_orientation(kind, most, monkeypatch):
    """Also of what is too large for Pillow to open, which no WebP is."""
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None if kind == 'WEBP' else most)
    img = Image.fromarray(IMG)
    tag = img.getexif()
    for value in (1, 6):
        tag[274] = value
        img.save(buffer := io.BytesIO(), kind, exif=tag)
        assert orientation(buffer.getvalue()) == value
    img.save(buffer := io.BytesIO(), kind)
    assert orientation(buffer.getvalue()) == 1


def test_end_markers():
    jpeg = b'\xff\xd8 thumbnail \xff\xd9 \xff\xda pixels'
    assert is_truncated(jpeg)
    assert not is_truncated(jpeg + b'\xff\xd9')
    assert not is_truncated(jpeg + b'\xff\xd9' + b'a maker may append')
    assert not is_truncated(b'another format')


def test_decoders_that_there_are_not(monkeypatch):
    with pytest.raises(ConfigError, match="no such imdecode_backend. Got: 'pilow'.*'pillow'"):
        check_backend('Loader', 'pilow')
    with pytest.raises(ConfigError, match="no such color_type. Got: 'colour'"):
        check_backend('Loader', 'cv2', 'colour')
    with pytest.raises(ConfigError, match='turbojpeg reads colour and grayscale only'):
        check_backend('Loader', 'turbojpeg', 'unchanged')
    monkeypatch.setattr('mmcv.image.io.TurboJPEG', None)
    with pytest.raises(ConfigError, match='turbojpeg cannot be used here.*pip install'):
        check_backend('Loader', 'turbojpeg')


@pytest.mark.parametrize(('flag', 'backend'), [('color', 'cv2'), ('unchanged', 'pillow')])
def test_our_own_png_decoder_changes_nothing(flag, backend, monkeypatch, tmp_path):
    path = tmp_path / 'a.png'
    large = np.tile(IMG, (5, 7, 1))  # small ones are left to the other decoders
    cv2.imwrite(str(path), large if backend == 'cv2' else large[..., 0])
    ours = load(path, flag, backend)
    monkeypatch.setenv('SEGPLUG_KERNELS', 'off')
    theirs = load(path, flag, backend)
    assert ours.dtype == theirs.dtype
    assert np.array_equal(ours, theirs)


def test_what_is_no_picture_says_so_the_same_way_each_time():
    """Pillow's text has the address of a buffer in it."""
    with pytest.raises(DataError, match=r'a\.png cannot be decoded. Got: 5 bytes; it is of no '
                                        'known format'):
        decode(b'hello', 'a.png', 'label', 'unchanged', 'pillow')
