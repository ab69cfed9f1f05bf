"""CLAHE, AdjustGamma, Rerange, RGB2Gray: values by hand."""

import cv2
import numpy as np
import pytest

from segplug.datasets.transforms.tone import (
    CLAHE,
    AdjustGamma,
    Rerange,
    RGB2Gray,
    gamma_table,
    rerange,
)
from segplug.errors import ConfigError, ShapeError

IMG = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)


def test_gamma_table_by_hand():
    # 255 * sqrt(64 / 255) = 127.74...; sqrt(1 / 255) * 255 = 15.96...
    assert gamma_table(2)[[0, 1, 64, 255]].tolist() == [0, 15, 127, 255]
    assert gamma_table(1).tolist() == list(range(256))
    wide = gamma_table(0.5, np.uint16)  # v * v / 65535: 1000000 / 65535 = 15.25...
    assert wide[[0, 1000, 65535]].tolist() == [0, 15, 65535]
    assert wide.dtype == np.uint16


def test_adjust_gamma_looks_up():
    np.testing.assert_array_equal(AdjustGamma(2)(dict(img=IMG))['img'], gamma_table(2)[IMG])


def test_rerange_by_hand():
    img = np.array([[10, 20], [30, 50]], np.uint8)
    out = rerange(img, -1, 1)  # (v - 10) / 40 * 2 - 1
    assert out.tolist() == [[-1, -0.5], [0, 1]]
    assert out.dtype == np.float32
    assert rerange(img.astype(np.float32), 0, 4).tolist() == [[0, 1], [2, 4]]


def test_a_flat_image_becomes_the_least_value():
    assert Rerange(3, 9)(dict(img=np.full((2, 2, 3), 77, np.uint8)))['img'].tolist() == \
        np.full((2, 2, 3), 3.).tolist()


def test_grey_by_hand():
    img = np.array([[[100, 0, 0], [0, 100, 0], [0, 0, 100]]], np.uint8)  # blue, green, red
    results = RGB2Gray()(dict(img=img))
    assert results['img'].tolist() == [[[11] * 3, [59] * 3, [30] * 3]]
    assert results['img'].dtype == np.uint8
    assert results['img_shape'] == (1, 3)
    # As cv2's own, up to its rounding.
    grey = cv2.cvtColor(IMG, cv2.COLOR_BGR2GRAY).astype(int)
    assert np.abs(RGB2Gray(1)(dict(img=IMG))['img'][..., 0] - grey).max() <= 1


def test_grey_takes_any_channels_and_clips():
    img = np.full((1, 1, 2), 200, np.uint8)
    assert RGB2Gray(3, weights=[1, 0.5])(dict(img=img))['img'].tolist() == [[[255] * 3]]
    assert RGB2Gray(weights=[0.5, 0.25])(dict(img=img / 2))['img'].tolist() == [[[75.] * 2]]


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_clahe_is_cv2s_on_each_channel(dtype):
    img = IMG.astype(dtype)
    out = CLAHE(2., [4, 3])(dict(img=img))['img']
    for c in range(3):
        plane = cv2.createCLAHE(2., (4, 3)).apply(np.ascontiguousarray(img[..., c]))
        np.testing.assert_array_equal(out[..., c], plane)


@pytest.mark.parametrize('make', [CLAHE, AdjustGamma])
def test_floats_are_refused_with_advice(make):
    with pytest.raises(ShapeError, match='before what makes floats'):
        make()(dict(img=IMG.astype(np.float32)))


@pytest.mark.parametrize(('make', 'args', 'said'), [
    (CLAHE, dict(clip_limit='a'), 'clip_limit is no number'),
    (CLAHE, dict(tile_grid_size=(8, 0)), 'tile_grid_size is no size'),
    (AdjustGamma, dict(gamma=0), 'gamma must be a positive'),
    (Rerange, dict(min_value=2, max_value=2), 'no range'),
    (RGB2Gray, dict(out_channels=0), 'out_channels must be positive'),
    (RGB2Gray, dict(weights=['a']), 'weights must be numbers')])
def test_wrong_arguments(make, args, said):
    with pytest.raises(ConfigError, match=said):
        make(**args)


def test_grey_needs_a_weight_for_each_channel():
    with pytest.raises(ShapeError, match='a weight for each channel'):
        RGB2Gray()(dict(img=IMG[..., :2]))
