"""RandomCutOut: what is filled, the draws, what is left alone."""

import numpy as np
import pytest

from segplug.datasets.transforms.cutout import RandomCutOut
from segplug.errors import ConfigError, ShapeError


def sample(channels=3):
    return dict(img=np.full((8, 10, channels), 9, np.uint8),
                gt_seg_map=np.ones((8, 10), np.uint8), gt_other=np.ones((8, 10), np.uint8),
                seg_fields=['gt_seg_map', 'gt_other'])


def test_a_hole_lies_where_it_was_drawn():
    cut = RandomCutOut(1, 1, cutout_shape=(4, 3), fill_in=(1, 2, 3), seg_fill_in=255)
    for seed in range(8):
        np.random.seed(seed)
        results = cut(sample())
        rng = np.random.RandomState(seed)
        rng.rand(), rng.randint(1, 2)
        left, top = rng.randint(0, 10), rng.randint(0, 8)
        expected = np.ones((8, 10), np.uint8)
        expected[top:top + 3, left:left + 4] = 255  # cut at the border
        np.testing.assert_array_equal(results['gt_seg_map'], expected)
        np.testing.assert_array_equal(results['gt_other'], expected)
        assert results['img'][top, left].tolist() == [1, 2, 3]
        assert ((results['img'] == 9).all(-1) == (expected == 1)).all()


def test_ratios_number_of_holes_and_labels_left_alone():
    np.random.seed(0)
    data = sample()
    results = RandomCutOut(1, [40, 40], cutout_ratio=[0.1, 0.125])(dict(data))  # one pixel
    assert 20 < (results['img'] == 0).all(-1).sum() <= 40
    assert results['gt_seg_map'] is data['gt_seg_map']
    assert data['img'].min() == 9


def test_probability():
    data = sample()
    np.random.seed(0)
    cut = RandomCutOut(0.3, 1, cutout_shape=(2, 2))
    assert 0.2 < np.mean([cut(dict(data))['img'] is not data['img'] for _ in range(300)]) < 0.4


def test_fill_in_must_fit_the_channels():
    with pytest.raises(ShapeError, match='one number for all'):
        RandomCutOut(1, 1, cutout_shape=(2, 2))(sample(channels=4))


@pytest.mark.parametrize(('args', 'said'), [
    (dict(n_holes=1), 'one of cutout_shape and cutout_ratio'),
    (dict(n_holes=1, cutout_shape=(1, 1), cutout_ratio=(1, 1)), 'one of'),
    (dict(n_holes=(3, 1), cutout_shape=(1, 1)), 'n_holes is no range'),
    (dict(n_holes=1, cutout_shape=[(1, 1, 1)]), 'cutout_shape is no size'),
    (dict(n_holes=1, cutout_ratio=(-1, 1)), 'cutout_ratio is no size'),
    (dict(n_holes=1, cutout_shape=(1, 1), seg_fill_in=256), 'seg_fill_in is no label')])
def test_wrong_arguments(args, said):
    with pytest.raises(ConfigError, match=said):
        RandomCutOut(0.5, **args)
