"""Depth maps: values times the factor, and what does not fit."""

import cv2
import numpy as np
import pytest

from segplug.datasets.transforms.loading_depth import LoadDepthAnnotation
from segplug.errors import ConfigError, DataError

DEPTH = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000


@pytest.fixture
def folder(tmp_path):
    cv2.imwrite(str(tmp_path / 'd.png'), DEPTH)
    cv2.imwrite(str(tmp_path / 'rgb.png'), np.zeros((6, 8, 3), np.uint8))
    np.save(tmp_path / 'd.npy', DEPTH[None] / 1000)
    return tmp_path


@pytest.mark.parametrize(('name', 'options', 'dtype', 'factor'), [
    ('d.png', {}, np.float32, 1),
    ('d.png', dict(to_float32=False), np.uint16, 1),
    # mmsegmentation multiplies the integers in place, which numpy refuses.
    ('d.png', dict(to_float32=False, depth_rescale_factor=1e-3), np.float32, 1e-3),
    ('d.npy', dict(decode_backend='numpy'), np.float32, 1e-3),
])
def test_depth(folder, name, options, dtype, factor):
    results = LoadDepthAnnotation(**options)(dict(depth_map_path=str(folder / name),
                                                  ori_shape=(6, 8), seg_fields=['gt_seg_map']))
    assert results['gt_depth_map'].dtype == dtype
    np.testing.assert_allclose(results['gt_depth_map'], DEPTH * factor, rtol=1e-6)
    assert results['seg_fields'] == ['gt_seg_map', 'gt_depth_map']
    assert results['depth_rescale_factor'] == options.get('depth_rescale_factor', 1)


def test_what_is_no_depth(folder):
    with pytest.raises(DataError, match=r'rgb\.png does not fit its image. Got: \(6, 8, 3\)'):
        LoadDepthAnnotation()(dict(depth_map_path=str(folder / 'rgb.png')))
    with pytest.raises(DataError, match=r'Got: \(6, 8\). Expected: \(8, 6\)'):
        LoadDepthAnnotation()(dict(depth_map_path=str(folder / 'd.png'), ori_shape=(8, 6)))
    with pytest.raises(ConfigError, match='no such decode_backend.*write .npy files'):
        LoadDepthAnnotation('pickle')
    with pytest.raises(ConfigError, match='a number other than 0. Got: 0'):
        LoadDepthAnnotation(depth_rescale_factor=0)
