"""RandomFlip: directions, draws as mmcv's, exchanged labels."""

import mmcv.transforms
import numpy as np
import pytest

from segplug.datasets.transforms.flip import RandomFlip, swap_labels
from segplug.errors import ConfigError
from segplug.ops.frames import flip

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(('direction', 'expected'), [
    ('horizontal', [[2, 1], [4, 3]]), ('vertical', [[3, 4], [1, 2]]),
    ('diagonal', [[4, 3], [2, 1]])])
def test_directions_by_hand(direction, expected):
    flipped = flip(np.array([[1, 2], [3, 4]], np.uint8), direction)
    assert flipped.tolist() == expected
    assert flipped.flags.c_contiguous


@pytest.mark.parametrize('kwargs', [
    dict(prob=0.5), dict(prob=0.6, direction=['horizontal', 'vertical']),
    dict(prob=[0.2, 0.3], direction=['vertical', 'diagonal']),
    dict(prob=0.5, swap_seg_labels=[(1, 2)])])
def test_agrees_with_mmcv(kwargs):
    img = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    label = RNG.integers(0, 4, (6, 8), dtype=np.uint8)
    outcomes = []
    for make in (RandomFlip, mmcv.transforms.RandomFlip):
        np.random.seed(1)
        transform = make(**kwargs)
        outcomes.append([transform(dict(img=img, gt_seg_map=label.copy())) for _ in range(12)])
    for ours, theirs in zip(*outcomes, strict=True):
        assert ours['flip'] == theirs['flip']
        assert ours['flip_direction'] == theirs['flip_direction']
        np.testing.assert_array_equal(ours['img'], theirs['img'])
        np.testing.assert_array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
    assert {r['flip'] for r in outcomes[0]} == {True, False}


def test_swap_labels_by_hand():
    label = np.array([[0, 1, 5, 9]], np.uint8)
    assert swap_labels(label, [(1, 5)]).tolist() == [[0, 5, 1, 9]]
    deep = np.array([[0, 300, 7]], np.uint16)
    assert swap_labels(deep, [(300, 7)]).tolist() == [[0, 7, 300]]


def test_only_classes_are_swapped():
    edges = np.array([[0, 1]], np.uint8)
    data = dict(img=np.zeros((1, 2, 3), np.uint8), gt_seg_map=np.array([[1, 2]], np.uint8),
                gt_edge_map=edges, seg_fields=['gt_seg_map', 'gt_edge_map'])
    data = RandomFlip(prob=1., swap_seg_labels=[(1, 2)])(data)
    assert data['gt_seg_map'].tolist() == [[1, 2]]  # mirrored to 2 1, then exchanged
    assert data['gt_edge_map'].tolist() == [[1, 0]]


@pytest.mark.parametrize('kwargs', [
    dict(prob=None), dict(prob=1.2), dict(prob=0.5, direction='sideways'),
    dict(prob=[0.5], direction=['horizontal', 'vertical']),
    dict(prob=[0.7, 0.7], direction=['horizontal', 'vertical'])])
def test_wrong_arguments(kwargs):
    with pytest.raises(ConfigError, match='RandomFlip'):
        RandomFlip(**kwargs)
