"""Label maps are found however they were loaded; settings out of range are refused."""

import numpy as np
import pytest

from segplug.datasets.transforms.fields import (
    as_list,
    as_range,
    as_size,
    check_image,
    check_probability,
    label_keys,
)
from segplug.errors import ConfigError, ShapeError


def test_label_keys():
    assert label_keys({}) == []
    assert label_keys(dict(gt_seg_map=1)) == ['gt_seg_map']  # as mmcv's LoadAnnotations leaves it
    fields = ['gt_depth_map', 'gt_seg_map', 'gone']
    assert label_keys(dict(seg_fields=fields, gt_seg_map=1, gt_depth_map=2)) == fields[:2]


@pytest.mark.parametrize('prob', [-0.1, 1.5, '0.5', None, True])
def test_no_probability(prob):
    with pytest.raises(ConfigError, match='RandomFlip: prob is no probability'):
        check_probability(prob, 'RandomFlip')


@pytest.mark.parametrize('value', [3, (1,), (2, 1), '12'])
def test_no_range(value):
    with pytest.raises(ConfigError, match='X: y is no range'):
        as_range(value, 'X', 'y')


def test_lists_of_configs_are_ranges():
    assert as_range([0.5, 2], 'X', 'y') == (0.5, 2)


def test_sizes_by_hand():
    assert as_size(3, 'X', 'y') == (3, 3)
    assert as_size([3, 4, 5], 'X', 'y', 'Z, Y, X') == (3, 4, 5)
    for value in (0, (3, -1), (3, 4, 5), '34', (1.5, 2), True):
        with pytest.raises(ConfigError, match=r'y is no size.*\(H, W\)'):
            as_size(value, 'X', 'y')


def test_lists():
    assert as_list((1, 2), 'X', 'y') == [1, 2]
    for value in ('ab', 3, ()):
        with pytest.raises(ConfigError, match='y is no list'):
            as_list(value, 'X', 'y')


def test_images():
    check_image(np.zeros((2, 2), np.uint16), 'X')
    for img in (np.zeros(3, np.uint8), np.zeros((2, 2, 3), np.int32)):
        with pytest.raises(ShapeError, match='X cannot take this image'):
            check_image(img, 'X')
