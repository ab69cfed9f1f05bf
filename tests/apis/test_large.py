"""Large images by rows: their windows, their size from the header alone, channels and picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch

from segplug.apis import large
from segplug.datasets.rasters import WholeRaster
from segplug.errors import ConfigError, DataError
from segplug.models.tta_cfg import TestCfg
from segplug.models.tta_rows import Band

LOADER = dict(type='LoadImageFromFile')


@pytest.mark.parametrize(('own', 'given', 'expected'), [
    ({}, {}, ((512, 512), (384, 384))),  # three quarters
    ({}, dict(window=(1, 6)), ((1, 6), (1, 4))),  # 3/4 and 18/4, rounded down, and 1 at least
    ({}, dict(window=(9, 9), stride=(9, 2)), ((9, 9), (9, 2))),
    (dict(mode='slide', crop_size=(8, 6), stride=(4, 3)), {}, ((8, 6), (4, 3))),
    (dict(mode='slide', crop_size=(8, 6), stride=(4, 3)), dict(stride=(1, 1)), ((8, 6), (1, 1))),
    (dict(mode='slide', crop_size=(8, 6), stride=(4, 3)), dict(window=(20, 20)),
     ((20, 20), (15, 15)))])
def test_windows(own, given, expected):
    cfg = large.window_cfg(TestCfg(**own, save_logits=True, flip=True), **given)
    assert (cfg.crop_size, cfg.stride) == expected
    assert (cfg.mode, cfg.scales, cfg.save_logits, cfg.flip) == ('slide', (1.,), False, True)


def test_windows_that_leave_pixels_out():
    with pytest.raises(ConfigError, match='Got: windows of 8x9, 8x10 from one to the next'):
        large.window_cfg(TestCfg(), (8, 9), (8, 10))
    with pytest.raises(ConfigError, match='one scale.*--aug-test'):
        large.window_cfg(TestCfg(scales=(1., 2.)))


def test_sizes_by_the_header(tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((3, 5, 3), np.uint8))
    png = (tmp_path / 'a.png').read_bytes()
    (tmp_path / 'cut.png').write_bytes(png[:30])  # the pixels are not looked at
    tifffile.imwrite(tmp_path / 'a.tif', np.zeros((4, 6), np.uint8))
    cv2.imwrite(str(tmp_path / 'a.jpg'), np.zeros((3, 5, 3), np.uint8))
    (tmp_path / 'short.png').write_bytes(png[:20])
    names = ('a.png', 'cut.png', 'a.tif', 'a.jpg', 'short.png')
    assert [large.size_of(tmp_path / name) for name in names] == [
        (3, 5), (3, 5), (4, 6), None, None]
    monkeypatch.setattr(large, 'LARGE', 15)  # of more pixels
    assert [large.is_large(tmp_path / name) for name in (*names, 'none.png')] == [
        False, False, True, False, False, False]
    (tmp_path / 'b.tif').write_bytes((tmp_path / 'a.tif').read_bytes()[:9])
    with pytest.raises(DataError, match=r'b\.tif cannot be decoded'):
        large.size_of(tmp_path / 'b.tif')


PIXEL = np.arange(10, 15)


@pytest.mark.parametrize(('channels', 'suffix', 'loader', 'expected'), [
    (3, '.png', {}, [12, 11, 10]), (4, '.png', {}, [12, 11, 10]), (1, '.png', {}, [10, 10, 10]),
    (2, '.png', {}, [10, 10, 10]),  # gray and its opacity
    (4, '.png', dict(color_type='unchanged'), [12, 11, 10, 13]),
    (2, '.png', dict(color_type='unchanged'), [10, 11]),
    (1, '.png', dict(color_type='grayscale'), [10]),
    (3, '.tif', {}, [12, 11, 10]),
    (5, '.tif', dict(imdecode_backend='tifffile'), [10, 11, 12, 13, 14]),
    (3, '.npy', {}, [10, 11, 12])])
def test_channels_are_as_the_loader_has_them(channels, suffix, loader, expected):
    """Rows come in the file's order, RGB; cv2 gives BGR, tifffile and numpy the file's."""
    raster = WholeRaster(np.zeros((1, 1, channels), np.uint8))
    image = large.LargeImage(Path(f'a{suffix}'), raster, [{**LOADER, **loader}])
    found = image._fit(PIXEL[:channels].astype(np.uint8).reshape(1, 1, -1))
    assert found.ravel().tolist() == expected
    assert image.channels == len(expected)


@pytest.mark.parametrize(('pixels', 'steps', 'error', 'said'), [
    (np.zeros((2, 2, 3), np.uint16), [LOADER], DataError, 'by rows as color.*3 channels of uint16'),
    (np.zeros((2, 2, 3), np.uint8), [dict(LOADER, color_type='grayscale')], DataError,
     'by rows as grayscale'),
    (np.zeros((2, 2)), [dict(type='LoadMine')], ConfigError, 'LoadMine reads whole images'),
    (np.zeros((2, 2), np.uint8), [LOADER, dict(type='mmseg.CLAHE')], ConfigError,
     'mmseg.CLAHE of the test pipeline needs the whole image')])
def test_what_is_not_read_by_rows(pixels, steps, error, said):
    with pytest.raises(error, match=said):
        large.LargeImage(Path('a.png'), WholeRaster(pixels), steps)


class Net:
    """Labels rows by their first channel, in windows of four rows with two in common."""

    finite = True

    def predict_rows(self, read, size, cfg):
        assert (size, cfg) == ((10, 6), 'cfg')
        for top in (0, 2, 4, 6):
            rows = read(top, top + 4)
            keep = slice(None) if top == 0 else slice(2, None)
            yield Band(top, rows[0, keep], torch.tensor(self.finite))


def test_rows_that_are_read_again_are_shown_once(monkeypatch):
    monkeypatch.setattr(large, '_SIDE', 4)  # 10 / 4, rounded up: every third pixel
    pixels = np.random.default_rng(0).integers(0, 256, (10, 6, 3), dtype=np.uint8)
    image = large.LargeImage(Path('a.png'), WholeRaster(pixels), [LOADER])
    bands = list(image.labels(Net(), 'cfg', torch.device('cpu')))
    np.testing.assert_array_equal(np.concatenate(bands), pixels[..., 2])  # BGR's first
    assert image.step == 3
    np.testing.assert_array_equal(image.picture(), pixels[::3, ::3])


def test_nan_is_told(monkeypatch):
    monkeypatch.setattr(Net, 'finite', False)
    image = large.LargeImage(Path('a.png'), WholeRaster(np.zeros((10, 6, 3), np.uint8)), [LOADER])
    with pytest.raises(DataError, match=r'nan for a\.png'):
        next(image.labels(Net(), 'cfg', torch.device('cpu')))
