"""RandomDepthMix: the strip by its draws, rounding and range."""

import numpy as np
import pytest

from segplug.datasets.transforms.depth import RandomDepthMix
from segplug.errors import DataError


def test_the_strip_holds_the_depth():
    depth = np.full((3, 20), 700.7, np.float32)
    depth[0] = 90000
    data = dict(img=np.full((3, 20, 2), 9, np.uint8), gt_depth_map=depth,
                depth_rescale_factor=100)
    for seed in range(6):
        np.random.seed(seed)
        img = RandomDepthMix(prob=1)(dict(data))['img']
        rng = np.random.RandomState(seed)
        rng.rand()
        left = int(20 * rng.rand())
        width = int(max(1, (20 - left) * 0.75 * rng.rand()))
        expected = np.full((3, 20, 2), 9)
        expected[:, left:left + width] = 7  # 7.007 rounded down
        expected[0, left:left + width] = 255  # 900 does not start again at 132
        np.testing.assert_array_equal(img, expected)
    assert data['img'].max() == 9


def test_floats_keep_fractions_and_never_means_never():
    data = dict(img=np.zeros((1, 1), np.float32), gt_depth_map=np.full((1, 1), 0.5))
    assert RandomDepthMix(prob=1)(dict(data))['img'].tolist() == [[0.5]]
    np.random.seed(0)
    assert RandomDepthMix(prob=0)(dict(data))['img'] is data['img']


@pytest.mark.parametrize('depth', [None, np.zeros((2, 3))])
def test_a_depth_is_needed(depth):
    with pytest.raises(DataError, match='a depth for each pixel'):
        RandomDepthMix()(dict(img=np.zeros((2, 2, 3), np.uint8), gt_depth_map=depth))
