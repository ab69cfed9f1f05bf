"""ClassMix and CutMix: which pixels are pasted, by hand and by their share."""

import numpy as np
import pytest

from segplug.datasets.transforms.mix import ClassMix, CutMix, pasted
from segplug.errors import ConfigError, DataError


def sample(label, value):
    label = np.array(label, np.uint8)
    return dict(img=np.full((*label.shape, 3), value, np.uint8), gt_seg_map=label,
                gt_other=label.copy(), img_path=f'{value}.png',
                seg_fields=['gt_seg_map', 'gt_other'])


def mixed(transform, one, other, seed):
    np.random.seed(seed)
    return transform(dict(one, mix_results=[other]))


def test_pasted_by_hand():
    target, source = np.array([[1, 2, 3]], np.uint8), np.array([[700, 800]], np.uint16)
    out = pasted(target, source, np.array([[False, True]]))
    assert out.tolist() == [[1, 800, 3]]
    assert target.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(('labels', 'half'), [([1, 2, 3, 4], 2), ([1, 2, 3], 2), ([5], 1)])
def test_class_mix_takes_half_of_the_classes(labels, half):
    one, other = sample(np.full((2, 20), 9), 10), sample([np.resize([*labels, 255], 20)] * 2, 20)
    chosen = set()
    for seed in range(20):
        results = mixed(ClassMix(1), one, other, seed)
        pasted_classes = frozenset(np.unique(results['gt_seg_map'])) - {9}
        assert len(pasted_classes) == half
        assert 255 not in pasted_classes
        chosen.add(pasted_classes)
        # All pixels of a class come, with the image's and the other map's.
        from_other = np.isin(other['gt_seg_map'], list(pasted_classes))
        np.testing.assert_array_equal(results['img'][..., 0], np.where(from_other, 20, 10))
        np.testing.assert_array_equal(results['gt_seg_map'],
                                      np.where(from_other, other['gt_seg_map'], 9))
        np.testing.assert_array_equal(results['gt_other'], results['gt_seg_map'])
    assert set().union(*chosen) == set(labels)


def test_nothing_but_ignored_pixels_pastes_nothing():
    one, other = sample([[1]], 10), sample([[255]], 20)
    assert mixed(ClassMix(1), one, other, 0)['img'] is one['img']


def test_cut_mix_pastes_a_box_of_the_right_share():
    one, other = sample(np.zeros((40, 60)), 10), sample(np.ones((40, 60)), 20)
    shares = []
    for seed in range(200):
        label = mixed(CutMix(1), one, other, seed)['gt_seg_map']
        rows, cols = label.any(1), label.any(0)
        np.testing.assert_array_equal(label, np.outer(rows, cols))  # a box
        shares.append(label.mean())
    # Before it is cut at the border, the share is uniform: 1/2 in the mean. An edge of length e
    # keeps 1 - e / 4 of itself in the mean, so a box of share s = e * e keeps s * (1 - e / 4) ** 2:
    # the mean of s - s ** 1.5 / 2 + s * s / 16 is 1/2 - 1/5 + 1/48 = 0.32.
    assert abs(np.mean(shares) - 0.32) < 0.05


def test_images_of_different_size_share_their_corner():
    one, other = sample(np.zeros((4, 4)), 10), sample(np.ones((2, 9)), 20)
    label = mixed(ClassMix(1), one, other, 0)['gt_seg_map']
    assert label.tolist() == [[1] * 4, [1] * 4, [0] * 4, [0] * 4]


@pytest.mark.parametrize('make', [ClassMix, CutMix])
def test_probability_and_partner(make):
    one, other = sample(np.zeros((9, 9)), 10), sample(np.ones((9, 9)), 20)
    np.random.seed(0)
    mix = make(0.3)
    share = np.mean([mix(dict(one, mix_results=[other]))['img'] is not one['img']
                     for _ in range(300)])
    assert 0.18 < share < 0.4
    assert {mix.get_indices(range(3))[0] for _ in range(40)} == {0, 1, 2}
    with pytest.raises(ConfigError, match='pipeline of MultiImageMixDataset'):
        mix(one)
    del other['gt_other']
    with pytest.raises(DataError, match=r'20\.png in, which has no gt_other'):
        mixed(make(1), one, other, 1)


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='alpha must be'):
        CutMix(alpha=0)
    with pytest.raises(ConfigError, match='ClassMix: prob'):
        ClassMix(prob=2)
