"""Sizes by hand; the pixels are test_resize.py's matter."""

import mmcv.transforms
import numpy as np
import pytest

from segplug.datasets.transforms.resize_family import (
    RandomChoiceResize,
    ResizeShortestEdge,
    ResizeToMultiple,
    SegRescale,
    next_multiple,
    shortest_edge_size,
)
from segplug.errors import ConfigError


def sample(height=20, width=40):
    rng = np.random.default_rng(0)
    label = rng.integers(0, 9, (height, width), dtype=np.uint8)
    return dict(img=rng.integers(0, 256, (height, width, 3), dtype=np.uint8), gt_seg_map=label,
                gt_other=label.copy(), seg_fields=['gt_seg_map', 'gt_other'])


def test_next_multiple_by_hand():
    assert next_multiple((64, 65), (32, 32)) == (96, 64)
    assert next_multiple((1, 40), (20, 7)) == (40, 7)


@pytest.mark.parametrize(('shape', 'short', 'longest', 'size'), [
    ((20, 40), 10, 100, (20, 10)),
    ((40, 20), 10, 100, (10, 20)),
    ((20, 40), 30, 50, (50, 25)),   # 60 x 30 shrinks by 50 / 60
    ((30, 31), 20, 99, (21, 20)),   # 20 * 31 / 30 = 20.67
    ((1, 1000), 8, 100, (100, 1)),  # 0.1 of a pixel stays one
    ((1000, 1), 8, 100, (1, 100))])
def test_shortest_edge_by_hand(shape, short, longest, size):
    assert shortest_edge_size(shape, short, longest) == size


def test_to_multiple_moves_all():
    results = ResizeToMultiple([16, 8])(sample())
    assert results['img'].shape == (24, 48, 3)
    assert results['gt_other'].shape == results['img_shape'] == results['pad_shape'] == (24, 48)


def test_shortest_edge_of_several_takes_the_least():
    results = ResizeShortestEdge(scale=[50, 10], max_size=100)(sample())
    assert results['img_shape'] == results['gt_other'].shape == (10, 20)
    assert results['scale_factor'] == (0.5, 0.5)


def test_seg_rescale_leaves_the_image():
    data = sample()
    results = SegRescale(0.5)(dict(data))
    assert results['img'] is data['img']
    np.testing.assert_array_equal(results['gt_other'], data['gt_other'][::2, ::2])
    assert SegRescale()(dict(data))['gt_seg_map'] is data['gt_seg_map']


@pytest.mark.parametrize('keep_ratio', [False, True])
def test_choice_draws_as_mmcv(keep_ratio):
    args = dict(scales=[(40, 30), (64, 64), (10, 20)], keep_ratio=keep_ratio)
    ours, theirs = RandomChoiceResize(**args), mmcv.transforms.RandomChoiceResize(**args)
    for seed in range(6):
        results = []
        for transform in (ours, theirs):
            np.random.seed(seed)
            results.append(transform(sample()))
        np.testing.assert_array_equal(results[0]['img'], results[1]['img'])
        assert results[0]['scale_idx'] == results[1]['scale_idx']
        np.testing.assert_array_equal(results[0]['gt_other'], results[0]['gt_seg_map'])


@pytest.mark.parametrize(('make', 'args', 'said'), [
    (ResizeToMultiple, dict(size_divisor=0), 'size_divisor is no size'),
    (ResizeShortestEdge, dict(scale=[8, 0], max_size=9), 'scale or max_size'),
    (ResizeShortestEdge, dict(scale=8, max_size=0.5), 'scale or max_size'),
    (SegRescale, dict(scale_factor=0), 'scale_factor must be'),
    (RandomChoiceResize, dict(scales=[]), 'scales is no list'),
    (RandomChoiceResize, dict(scales=[(1, 2, 3)]), 'scales is no size'),
    (RandomChoiceResize, dict(scales=[3], keep_ratoi=True), 'keep_ratio')])
def test_wrong_arguments(make, args, said):
    with pytest.raises(ConfigError, match=said):
        make(**args)


@pytest.mark.parametrize(('scales', 'short'), [([10], 10), ([(40, 15)], 15)])
def test_a_drawn_scale_is_the_shortest_edge(scales, short):
    transform = RandomChoiceResize(scales, resize_type='ResizeShortestEdge', max_size=500)
    assert transform(sample(20, 40))['img_shape'] == (short, 2 * short)
