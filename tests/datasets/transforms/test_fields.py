"""Label maps are found however they were loaded; settings out of range are refused."""

import pytest

from segplug.datasets.transforms.fields import as_range, check_probability, label_keys
from segplug.errors import ConfigError


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
