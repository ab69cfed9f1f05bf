"""Pad and CenterCrop: places and values by hand."""

import mmcv.transforms
import numpy as np
import pytest

from segplug.datasets.transforms.pad import CenterCrop, Pad, padded
from segplug.errors import ConfigError, ShapeError


def sample(height=2, width=3, channels=3):
    label = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    return dict(img=np.repeat(label[..., None], channels, -1), gt_seg_map=label,
                gt_other=label.astype(np.uint16), seg_fields=['gt_seg_map', 'gt_other'])


def test_padded_by_hand():
    img = np.array([[1, 2]])
    assert padded(img, (2, 3), 9).tolist() == [[1, 2, 9], [9, 9, 9]]
    assert padded(img, (1, 4), mode='edge').tolist() == [[1, 2, 2, 2]]
    assert padded(img, (1, 3), mode='reflect').tolist() == [[1, 2, 1]]
    assert padded(img, (1, 4), mode='symmetric').tolist() == [[1, 2, 2, 1]]
    assert padded(img, (0, 1)).tolist() == [[1, 2]]  # never cut


def test_every_label_map_is_padded_with_its_value():
    results = Pad(size=(4, 3), pad_val=dict(img=(5, 6, 7), seg=255))(sample())
    assert results['gt_seg_map'].tolist() == results['gt_other'].tolist() == \
        [[0, 1, 2, 255], [3, 4, 5, 255], [255] * 4]
    assert results['img'][2, 3].tolist() == [5, 6, 7]
    assert results['img_shape'] == results['pad_shape'] == (3, 4)
    assert results['gt_other'].dtype == np.uint16


def test_a_float_fills_every_channel():
    data = sample(channels=7)
    data['img'] = data['img'].astype(np.float32)
    assert Pad(size_divisor=4, pad_val=0.5)(data)['img'][3, 3].tolist() == [0.5] * 7


@pytest.mark.parametrize(('args', 'size'), [
    (dict(size=(8, 5)), (5, 8)), (dict(size=(1, 1)), (1, 1)), (dict(size_divisor=4), (4, 8)),
    (dict(pad_to_square=True), (5, 5)), (dict(pad_to_square=True, size_divisor=4), (8, 8))])
def test_sizes_by_hand(args, size):
    assert Pad(**args).padded_size((3, 5, 3)) == size


@pytest.mark.parametrize('mode', ['constant', 'edge', 'reflect', 'symmetric'])
def test_pixels_equal_mmcvs(mode):
    args = dict(size_divisor=16, padding_mode=mode, pad_val=dict(img=(1, 2, 3), seg=9))
    ours, theirs = Pad(**args)(sample(20, 30)), mmcv.transforms.Pad(**args)(sample(20, 30))
    np.testing.assert_array_equal(ours['img'], theirs['img'])
    np.testing.assert_array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])


@pytest.mark.parametrize(('size', 'auto_pad'), [((3, 2), False), ((4, 9), False), ((9, 1), True),
                                                ((12, 12), True), ((6, 6), False)])
def test_centre_crop_equals_mmcvs(size, auto_pad):
    ours = CenterCrop(size, auto_pad)(sample(7, 9))
    theirs = mmcv.transforms.CenterCrop(size, auto_pad)(sample(7, 9))
    np.testing.assert_array_equal(ours['img'], theirs['img'])
    np.testing.assert_array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
    np.testing.assert_array_equal(ours['gt_other'], theirs['gt_seg_map'])
    assert ours['img_shape'] == theirs['img_shape']


@pytest.mark.parametrize(('make', 'args', 'said'), [
    (Pad, {}, 'Pad needs size'),
    (Pad, dict(size=(4, 4), size_divisor=2), 'or else size_divisor'),
    (Pad, dict(size=(4, 0)), 'size is no size'),
    (Pad, dict(size=(4, 4), pad_val=dict(image=0)), 'of img and seg'),
    (Pad, dict(size=(4, 4), padding_mode='mirror'), 'padding_mode is unknown'),
    (CenterCrop, dict(crop_size=0), 'crop_size is no size'),
    (CenterCrop, dict(crop_size=4, auto_pad=True, pad_cfg=dict(type='Pad', size=(1, 1))),
     'sets the size')])
def test_wrong_arguments(make, args, said):
    with pytest.raises(ConfigError, match=said):
        make(**args)


def test_values_must_fit_the_channels():
    with pytest.raises(ShapeError, match='one value for each channel'):
        Pad(size=(9, 9), pad_val=(1, 2, 3))(sample(channels=4))
