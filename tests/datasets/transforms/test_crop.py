"""RandomCrop: places, the class bound, small images."""

import numpy as np
import pytest

from segplug.datasets.transforms.crop import RandomCrop, draw_window, is_varied
from segplug.errors import ConfigError


def sample(height, width):
    """Label (H, W) holds the row; the image the row, the column and 0."""
    rows, cols = np.mgrid[:height, :width].astype(np.uint8)
    return dict(img=np.stack([rows, cols, 0 * rows], -1), gt_seg_map=rows,
                seg_fields=['gt_seg_map'])


def test_image_and_label_are_cut_at_one_place():
    np.random.seed(0)
    results = RandomCrop(crop_size=(4, 6))(sample(20, 30))
    assert results['img'].shape == (4, 6, 3)
    assert results['img_shape'] == (4, 6)
    np.testing.assert_array_equal(results['img'][..., 0], results['gt_seg_map'])
    assert results['img'].flags.c_contiguous


def test_every_place_occurs_and_none_outside():
    np.random.seed(0)
    tops = {draw_window((5, 4), (3, 4))[0].start for _ in range(60)}
    assert tops == {0, 1, 2}  # 5 - 3 = 2 rows of margin


def test_a_smaller_image_keeps_its_size():
    assert RandomCrop(crop_size=8)(sample(5, 30))['img'].shape == (5, 8, 3)


@pytest.mark.parametrize(('label', 'varied'), [
    ([[0, 0, 0, 1]], False),       # 3 of 4 is not under 0.75
    ([[0, 0, 1, 1]], True),
    ([[0, 0, 1, 255]], True),      # 2 of 3 labelled pixels
    ([[0, 255, 255, 255]], False),  # a single class
    ([[0, 0, 0, 1, 255, 255]], False),  # 3 of 4, not 3 of 6
    ([[0, 0, 255, 255]], False),
    ([[255, 255]], False)])
def test_is_varied_by_hand(label, varied):
    assert is_varied(np.array(label, np.uint8), 0.75, 255) == varied


@pytest.mark.parametrize('ignore_index', [None, -100, 300])
def test_without_an_ignored_value_of_8_bits_every_pixel_counts(ignore_index):
    """156 is -100 modulo 256; two classes with half of the pixels each."""
    assert is_varied(np.array([[156, 1]], np.uint8), 0.75, ignore_index)


def test_the_bound_draws_again():
    label = np.zeros((1, 100), np.uint8)
    label[0, 50:] = 1
    data = dict(img=np.zeros((1, 100, 3), np.uint8), gt_seg_map=label, seg_fields=['gt_seg_map'])
    shares = {}
    for ratio in (1., 0.9):
        np.random.seed(0)
        crop = RandomCrop(crop_size=(1, 40), cat_max_ratio=ratio)
        means = [crop(dict(data))['gt_seg_map'].mean() for _ in range(50)]
        shares[ratio] = np.mean([0.1 < m < 0.9 for m in means])
    # Places with more than 4 of 40 pixels in each class: 31 of 61; after 11 draws nearly sure.
    assert shares[1.] < 0.75
    assert shares[0.9] == 1


@pytest.mark.parametrize('size', [0, (4, 0), (1, 2, 3)])
def test_wrong_size(size):
    with pytest.raises(ConfigError, match='crop_size is no size'):
        RandomCrop(crop_size=size)
