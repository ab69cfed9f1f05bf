"""Remote-sensing images: bands in the file's order, two images, and joined ones."""

import cv2
import numpy as np
import pytest
import tifffile

from segplug.datasets.transforms.loading_remote import (
    ConcatCDInput,
    LoadMultipleRSImageFromFile,
    LoadSingleRSImageFromFile,
)
from segplug.errors import ConfigError, DataError

BANDS = np.random.default_rng(0).integers(0, 60000, (6, 8, 5), dtype=np.uint16)


@pytest.fixture
def folder(tmp_path):
    # As GDAL writes by default: pixel-interleaved; and band by band.
    tifffile.imwrite(tmp_path / 'a.tif', BANDS, photometric='minisblack', planarconfig='contig')
    tifffile.imwrite(tmp_path / 'b.tif', BANDS.transpose(2, 0, 1) + np.uint16(1),
                     photometric='minisblack', planarconfig='separate')
    cv2.imwrite(str(tmp_path / 'c.png'), BANDS[..., :3].astype(np.uint8))
    return tmp_path


def test_all_bands_as_the_file_has_them(folder):
    results = LoadSingleRSImageFromFile()(dict(img_path=str(folder / 'a.tif')))
    assert results['img'].dtype == np.float32
    assert results['img_shape'] == results['ori_shape'] == (6, 8)
    np.testing.assert_array_equal(results['img'], BANDS)
    results = LoadSingleRSImageFromFile(to_float32=False)(dict(img_path=str(folder / 'a.tif')))
    assert results['img'].dtype == np.uint16
    # cv2 was given BGR; the file's order is RGB.
    results = LoadSingleRSImageFromFile()(dict(img_path=str(folder / 'c.png')))
    np.testing.assert_array_equal(results['img'], BANDS[..., 2::-1].astype(np.uint8))


def test_two_images_and_their_join(folder):
    paths = dict(img_path=str(folder / 'a.tif'), img_path2=str(folder / 'b.tif'))
    results = LoadMultipleRSImageFromFile()(paths)
    np.testing.assert_array_equal(results['img2'], results['img'] + 1)
    joined = ConcatCDInput()(results)
    assert 'img2' not in joined
    np.testing.assert_array_equal(joined['img'], np.concatenate([BANDS, BANDS + 1], axis=2))
    with pytest.raises(DataError, match=r'a\.tif and .*c\.png differ in shape'):
        LoadMultipleRSImageFromFile()(dict(paths, img_path2=str(folder / 'c.png')))


def test_what_cannot_be_joined():
    with pytest.raises(ConfigError, match="no 'img2' in the sample"):
        ConcatCDInput()(dict(img=BANDS))
    with pytest.raises(DataError, match='differ in size'):
        ConcatCDInput()(dict(img=BANDS, img2=BANDS[:4]))
    grey = ConcatCDInput()(dict(img=BANDS[..., 0], img2=BANDS[..., 1]))
    np.testing.assert_array_equal(grey['img'], BANDS[..., :2])
