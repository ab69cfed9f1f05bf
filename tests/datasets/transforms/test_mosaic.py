"""RandomMosaic: places by hand, types, draws."""

import numpy as np
import pytest

from segplug.datasets.transforms.mosaic import RandomMosaic, mosaic, part
from segplug.errors import ConfigError, DataError


@pytest.mark.parametrize(('index', 'place', 'cut'), [
    # A mosaic of 8 x 8 with its point at row 3, column 6; pictures of 4 rows and 4 columns.
    (0, (slice(0, 3), slice(2, 6)), (slice(1, 4), slice(0, 4))),  # 3 rows above the point
    (1, (slice(0, 3), slice(6, 8)), (slice(1, 4), slice(0, 2))),
    (2, (slice(3, 7), slice(2, 6)), (slice(0, 4), slice(0, 4))),
    (3, (slice(3, 7), slice(6, 8)), (slice(0, 4), slice(0, 2)))])
def test_part_by_hand(index, place, cut):
    assert part(index, (3, 6), (4, 4), (8, 8)) == (place, cut)


def test_mosaic_by_hand():
    pictures = [np.full((1, 1), v, np.uint8) for v in (1, 2, 3)] + [np.full((1, 2), 300, np.uint16)]
    out = mosaic(pictures, (2, 2), (2, 2), 0, 'nearest')
    # The last is 2 wide, so that it is fitted as 1 row of 2.
    assert out.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 300, 300], [3, 3, 0, 0]]
    assert out.dtype == np.uint16


def samples(*values):
    return [dict(img=np.full((4, 6, 3), v, np.uint8), gt_seg_map=np.full((4, 6), v, np.uint8),
                 gt_other=np.full((4, 6), v, np.uint8), img_path=f'{v}.png',
                 seg_fields=['gt_seg_map', 'gt_other']) for v in values]


def test_four_samples_and_padding():
    first, *others = samples(10, 20, 30, 40)
    np.random.seed(1)
    results = RandomMosaic(1, [8, 6], pad_val=5)(dict(first, mix_results=others))
    assert results['img_shape'] == results['ori_shape'] == (16, 12)
    assert set(np.unique(results['gt_seg_map'])) <= {10, 20, 30, 40, 255}
    np.testing.assert_array_equal(results['gt_seg_map'], results['gt_other'])
    shown = np.where(results['gt_seg_map'] == 255, 5, results['gt_seg_map'])
    np.testing.assert_array_equal(results['img'], np.repeat(shown[..., None], 3, -1))
    assert first['img'].shape == (4, 6, 3)


def test_draws_as_published():
    """Three indices, the probability, then the column before the row."""
    mix = RandomMosaic(0.9, (10, 100))
    for seed in range(5):
        np.random.seed(seed)
        rng = np.random.RandomState(seed)
        assert mix.get_indices(range(7)) == [rng.randint(0, 7) for _ in range(3)]
        drawn = mix._draw()
        if rng.rand() < 0.9:
            column = int(rng.uniform(0.5, 1.5) * 100)
            assert drawn == (int(rng.uniform(0.5, 1.5) * 10), column)
        else:
            assert drawn is None


def test_it_says_where_it_belongs():
    first, *others = samples(1, 2, 3, 4)
    with pytest.raises(ConfigError, match='pipeline of MultiImageMixDataset'):
        RandomMosaic(1)(first)
    del others[1]['gt_other']
    with pytest.raises(DataError, match=r'mixes 3\.png in, which has no gt_other'):
        RandomMosaic(1)(dict(first, mix_results=others))
    others[1]['img'] = others[1]['img'][..., :1]
    with pytest.raises(DataError, match=r'different channels.*3\.png'):
        RandomMosaic(1)(dict(first, mix_results=others))


@pytest.mark.parametrize(('args', 'said'), [
    (dict(img_scale=(4, 0)), 'img_scale is no size'),
    (dict(center_ratio_range=(0.5, 2.5)), 'leaves the mosaic')])
def test_wrong_arguments(args, said):
    with pytest.raises(ConfigError, match=said):
        RandomMosaic(1, **args)
