"""Resize and RandomResize agree with mmcv's, and move every label map."""

import mmcv.transforms
import numpy as np
import pytest

from segplug.datasets.transforms.resize import RandomResize, Resize
from segplug.errors import ConfigError

RNG = np.random.default_rng(0)


def sample():
    return dict(img=RNG.integers(0, 256, (20, 40, 3), dtype=np.uint8),
                gt_seg_map=RNG.integers(0, 9, (20, 40), dtype=np.uint8),
                gt_other=RNG.integers(0, 9, (20, 40), dtype=np.uint8),
                seg_fields=['gt_seg_map', 'gt_other'])


@pytest.mark.parametrize('kwargs', [
    dict(scale=(10, 30)), dict(scale=30), dict(scale=(30, 30), keep_ratio=True),
    dict(scale_factor=0.5), dict(scale_factor=(0.5, 2.0)),
    dict(scale=(10, 10), interpolation='area')])
def test_image_and_label_equal_mmcvs(kwargs):
    data = sample()
    ours, theirs = Resize(**kwargs)(dict(data)), mmcv.transforms.Resize(**kwargs)(dict(data))
    for key in ('img', 'gt_seg_map'):
        np.testing.assert_array_equal(ours[key], theirs[key])
        assert ours[key].dtype == np.uint8
    assert ours['gt_other'].shape == ours['img'].shape[:2] == ours['img_shape']
    assert ours['scale_factor'] == theirs['scale_factor']


def test_doubling_repeats_labels():
    label = np.array([[1, 2]], np.uint8)
    results = Resize(scale_factor=2)(dict(img=np.zeros((1, 2, 3), np.uint8), gt_seg_map=label))
    assert results['gt_seg_map'].tolist() == [[1, 1, 2, 2]] * 2


def test_a_label_loaded_later_keeps_its_size():
    results = Resize(scale=(8, 4))(dict(img=np.zeros((20, 40, 3), np.uint8)))
    assert results['img'].shape == (4, 8, 3)


@pytest.mark.parametrize('kwargs', [
    dict(scale=[40, 20], ratio_range=[0.5, 2.0], keep_ratio=True),
    dict(scale=[[40, 20], [80, 60]])])
def test_random_resize_draws_as_mmcv(kwargs):
    theirs = dict(kwargs)
    scale = theirs.pop('scale')
    theirs['scale'] = tuple(scale) if 'ratio_range' in kwargs else [tuple(s) for s in scale]
    results = []
    for make, args in ((RandomResize, kwargs), (mmcv.transforms.RandomResize, theirs)):
        np.random.seed(3)
        transform, data = make(**args), sample()
        results.append([transform(dict(data))['img'].shape for _ in range(5)])
    assert results[0] == results[1]
    assert len(set(results[0])) > 1


def test_random_resize_uses_ours_without_a_default_scope():
    assert isinstance(RandomResize(scale=(4, 4), ratio_range=(1, 2)).resize, Resize)


@pytest.mark.parametrize(('make', 'kwargs', 'said'), [
    (Resize, {}, 'needs scale or scale_factor'),
    (Resize, dict(scale=(1, 2, 3)), 'scale is no size'),
    (RandomResize, dict(scale=(4, 4)), r'one \(W, H\) with ratio_range'),
    (RandomResize, dict(scale=[(4, 4), (8, 8)], ratio_range=(1, 2)), 'or two sizes'),
    (RandomResize, dict(scale=(4, 4), ratio_range=(2, 1)), 'ratio_range is no range'),
    (RandomResize, dict(scale=(4, 4), ratio_range=(1, 2), keep_ratoi=True), 'keep_ratio')])
def test_wrong_arguments(make, kwargs, said):
    with pytest.raises(ConfigError, match=said):
        make(**kwargs)
