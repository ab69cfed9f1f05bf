"""Places in volumes by hand."""

import numpy as np
import pytest

from segplug.datasets.transforms.volume import (
    BioMedical3DPad,
    BioMedical3DRandomCrop,
    BioMedical3DRandomFlip,
)
from segplug.errors import ConfigError, ShapeError


def sample(shape=(6, 8, 10)):
    number = np.arange(np.prod(shape)).reshape(shape)
    return dict(img=np.stack([number, -number]).astype(np.float32),
                gt_seg_map=np.zeros(shape, np.uint8))


def test_the_foreground_is_in_the_middle_of_the_crop():
    data = sample()
    data['gt_seg_map'][3, 4, 5] = 2
    data['gt_seg_map'][0, 0, 0] = 255  # ignored, never the foreground
    crop = BioMedical3DRandomCrop((2, 3, 4))
    for seed in range(5):
        np.random.seed(seed)
        results = crop(dict(data))
        assert results['gt_seg_map'][1, 1, 2] == 2  # voxel - crop // 2 = (2, 3, 3)
        assert results['img'][:, 1, 1, 2].tolist() == [3 * 80 + 4 * 10 + 5, -285]
        assert results['img_shape'] == (2, 3, 4)


def test_the_foreground_at_a_border_is_kept():
    data = sample()
    data['gt_seg_map'][5, 0, 9] = 1
    results = BioMedical3DRandomCrop((4, 4, 4))(data)
    assert results['gt_seg_map'][3, 0, 3] == 1


def test_classes_are_drawn_before_voxels():
    """One voxel of class 1, many of class 2: each is chosen in half of the draws."""
    data = sample()
    data['gt_seg_map'][:, :, 8:] = 2
    data['gt_seg_map'][0, 0, 0] = 1
    np.random.seed(0)
    crop = BioMedical3DRandomCrop(2)
    share = np.mean([crop(dict(data))['gt_seg_map'].max() == 1 for _ in range(200)])
    assert 0.4 < share < 0.6


@pytest.mark.parametrize('keep', [True, False])
def test_without_foreground_every_place_occurs(keep):
    np.random.seed(0)
    crop = BioMedical3DRandomCrop((5, 8, 99), keep_foreground=keep)
    starts = {crop(sample())['img'][0, 0, 0, 0] for _ in range(40)}
    assert starts == {0, 80}  # 6 - 5 = 1 plane of margin
    assert crop(dict(img=sample()['img']))['img'].shape == (2, 5, 8, 10)


def test_pad_by_hand():
    data = dict(img=np.ones((1, 1, 1, 2), np.float32), gt_seg_map=np.ones((1, 1, 2), np.uint8))
    results = BioMedical3DPad((1, 2, 5), pad_val=7, seg_pad_val=9)(data)
    # Rows: 1 more, below; columns: 3 more, one before and two after.
    assert results['img'][0].tolist() == [[[7, 1, 1, 7, 7], [7] * 5]]
    assert results['gt_seg_map'].tolist() == [[[9, 1, 1, 9, 9], [9] * 5]]
    assert results['pad_shape'] == results['img_shape'] == (1, 2, 5)
    assert BioMedical3DPad([1, 1, 1])(sample())['img'].shape == (2, 6, 8, 10)


@pytest.mark.parametrize(('do_flip', 'axes'), [
    ((True, False, False), [0]), ((False, True, True), [1, 2]), ((False,) * 3, [])])
def test_flip_of_a_sample_that_says_how(do_flip, axes):
    data = sample((1, 2, 3))
    data['gt_seg_map'][:] = [[[0, 1, 2], [1, 2, 2]]]
    results = BioMedical3DRandomFlip(0, (0,), [(1, 2)])(dict(data, do_flip=do_flip))
    np.testing.assert_array_equal(results['img'], np.flip(data['img'], [a + 1 for a in axes]))
    label = np.flip(data['gt_seg_map'], axes)
    swapped = np.choose(label, [0, 2, 1]) if axes else label
    np.testing.assert_array_equal(results['gt_seg_map'], swapped)
    assert results['flip_axes'] == (0,)


def test_only_the_given_axes_are_drawn():
    for seed in range(6):
        np.random.seed(seed)
        results = BioMedical3DRandomFlip(0.5, [0, 2])(sample())
        rng = np.random.RandomState(seed)
        assert results['do_flip'] == (rng.rand() < 0.5, False, rng.rand() < 0.5)


@pytest.mark.parametrize(('make', 'args', 'said'), [
    (BioMedical3DRandomCrop, dict(crop_shape=(1, 2)), 'crop_shape is no size'),
    (BioMedical3DPad, dict(pad_shape=3), 'pad_shape is no list'),
    (BioMedical3DRandomFlip, dict(prob=1, axes=(3,)), 'axes are unknown')])
def test_wrong_arguments(make, args, said):
    with pytest.raises(ConfigError, match=said):
        make(**args)


def test_a_flat_image_is_refused():
    with pytest.raises(ShapeError, match='LoadBiomedicalImageFromFile'):
        BioMedical3DRandomCrop(2)(dict(img=np.zeros((4, 4, 3))))
