"""RandomRotate: quarter turns by hand, padding, bounds."""

import numpy as np
import pytest

from segplug.datasets.transforms.rotate import (
    RandomRotate,
    RandomRotFlip,
    border,
    rotated,
    turned,
)
from segplug.errors import ConfigError, ShapeError


def sample(label):
    label = np.array(label, np.uint8)
    return dict(img=np.repeat(label[..., None], 3, -1), gt_seg_map=label,
                seg_fields=['gt_seg_map'])


def test_a_quarter_turn_clockwise():
    results = RandomRotate(prob=1, degree=(90, 90))(sample([[1, 2, 3], [4, 5, 6], [7, 8, 9]]))
    expected = [[7, 4, 1], [8, 5, 2], [9, 6, 3]]
    assert results['gt_seg_map'].tolist() == expected
    assert results['img'][..., 1].tolist() == expected


def test_what_comes_from_outside_is_padded_on_every_channel():
    data = dict(img=np.full((20, 40, 3), 9, np.uint8), gt_seg_map=np.zeros((20, 40), np.uint8))
    # A quarter turn of 20x40 leaves the 10 columns at each end without source.
    results = RandomRotate(prob=1, degree=(90, 90), pad_val=(103.53, 116.28, 123.675))(dict(data))
    assert results['img'][0, 0].tolist() == [104, 116, 124]  # rounded
    assert results['gt_seg_map'][0, 0] == 255
    assert results['gt_seg_map'][10, 20] == 0
    results = RandomRotate(prob=1, degree=(90, 90), pad_val=7, seg_pad_val=3)(dict(data))
    assert results['img'][0, 0].tolist() == [7, 7, 7]
    assert results['gt_seg_map'][0, 0] == 3


def test_border_by_hand():
    assert border(5, 3) == (5, 5, 5)
    assert border([1, 2, 3], 3) == (1, 2, 3)


def test_auto_bound_keeps_all_and_says_the_new_size():
    results = RandomRotate(prob=1, degree=(90, 90), auto_bound=True)(sample([[1, 2, 3]]))
    assert results['gt_seg_map'].tolist() == [[1], [2], [3]]
    assert results['img_shape'] == results['img'].shape[:2] == (3, 1)


def test_labels_are_never_mixed():
    np.random.seed(0)
    label = np.kron(np.array([[0, 9], [18, 0]]), np.ones((8, 8)))
    results = RandomRotate(prob=1, degree=45)(sample(label))
    assert set(np.unique(results['gt_seg_map'])) <= {0, 9, 18, 255}


def test_angles_fill_the_range_and_probability_holds():
    np.random.seed(0)
    rotate = RandomRotate(prob=0.3, degree=10)
    draws = [rotate.generate_degree() for _ in range(400)]
    angles = np.array([d for _, d in draws])
    assert -10 <= angles.min() < -9
    assert 9 < angles.max() <= 10
    assert 0.2 < np.mean([turned for turned, _ in draws]) < 0.4


def test_never_rotated():
    data = sample([[1, 2]])
    assert RandomRotate(prob=0, degree=90)(dict(data))['img'] is data['img']


@pytest.mark.parametrize('kwargs', [
    dict(prob=2, degree=10), dict(prob=1, degree=(10, -10)), dict(prob=1, degree=-10),
    dict(prob=1, degree=10, center=(0, 0), auto_bound=True)])
def test_wrong_arguments(kwargs):
    with pytest.raises(ConfigError, match='RandomRotate'):
        RandomRotate(**kwargs)


def test_any_number_of_channels_is_padded():
    img = np.arange(7, dtype=np.uint8) + np.zeros((2, 4, 1), np.uint8)
    out = rotated(img, 90, tuple(range(10, 17)), 'bilinear')
    assert out[0, 0].tolist() == list(range(10, 17))
    assert out[0, 1].tolist() == list(range(7))
    assert rotated(img[..., :1], 90, 9, 'nearest').shape == (2, 4, 1)
    with pytest.raises(ShapeError, match='one value for each channel'):
        rotated(img, 90, (1, 2, 3), 'bilinear')


def test_turned_by_hand():
    img = np.array([[1, 2], [3, 4]])
    assert turned(img, 1, 0).tolist() == [[1, 3], [2, 4]]  # [[2, 4], [1, 3]], rows mirrored
    assert turned(img, 2, 1).tolist() == [[3, 4], [1, 2]]


def test_rot_flip_draws_as_published():
    data = sample(np.arange(12).reshape(3, 4))
    for seed in range(12):
        np.random.seed(seed)
        results = RandomRotFlip(0.4, 0.7, 20)(dict(data))
        rng = np.random.RandomState(seed)
        label = data['gt_seg_map']
        angle = rng.uniform(-20, 20) if rng.rand() < 0.4 else None
        if rng.rand() < 0.7 and angle is None:
            label = turned(label, rng.randint(0, 4), rng.randint(0, 2))
        elif angle is not None:
            label = rotated(label, angle, 255, 'nearest')
        np.testing.assert_array_equal(results['gt_seg_map'], label)
        assert results['img_shape'] == label.shape
