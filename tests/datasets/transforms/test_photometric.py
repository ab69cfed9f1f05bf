"""PhotoMetricDistortion: tables by hand, draws and pixels as the plain float formula."""

import cv2
import numpy as np
import pytest

from segplug.datasets.transforms.photometric import PhotoMetricDistortion, hue_table, shift_hsv
from segplug.errors import ShapeError

IMG = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def test_hue_table_by_hand():
    assert hue_table(18)[[0, 170]].tolist() == [18, 8]  # 188 - 180
    assert hue_table(-18)[[0, 20]].tolist() == [162, 2]


def test_shift_hsv_turns_pure_colours():
    red = np.array([[[0, 0, 255]]], np.uint8)
    assert shift_hsv(red, 1., 60).tolist() == [[[0, 255, 0]]]  # 60 steps are 120 degrees: green
    assert shift_hsv(red, 0., 0).tolist() == [[[255, 255, 255]]]  # no saturation


def plain(img, rng):
    """The published order of draws and steps, on floats, with one conversion for each step."""
    def maybe(step, *args):
        return step(*args) if rng.randint(2) else None

    def scale(x, alpha=1., beta=0.):
        return np.clip(x.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)

    beta = maybe(rng.uniform, -32, 32)
    img = img if beta is None else scale(img, beta=beta)
    first = rng.randint(2)
    for step in (['contrast'] if first else []) + ['saturation', 'hue'] \
            + ([] if first else ['contrast']):
        if step == 'contrast':
            alpha = maybe(rng.uniform, 0.5, 1.5)
            img = img if alpha is None else scale(img, alpha)
            continue
        amount = maybe(rng.uniform, 0.5, 1.5) if step == 'saturation' else \
            maybe(rng.randint, -18, 18)
        if amount is not None:
            hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
            if step == 'saturation':
                hsv[..., 1] = scale(hsv[..., 1], amount)
            else:
                hsv[..., 0] = (hsv[..., 0].astype(int) + amount) % 180
            img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return img


def test_pixels_and_draws_equal_the_plain_formula():
    transform, differences = PhotoMetricDistortion(), []
    for seed in range(40):
        np.random.seed(seed)
        rng = np.random.RandomState(seed)
        difference = transform(dict(img=IMG))['img'].astype(int) - plain(IMG, rng)
        differences.append(np.abs(difference).mean())
        assert np.random.rand() == rng.rand()  # as many draws
    # Equal where there is at most one step in HSV; else one rounding less.
    assert np.mean(np.array(differences) == 0) > 0.5
    assert max(differences) < 4


def test_no_hue_turn_is_allowed():
    np.random.seed(0)
    still = PhotoMetricDistortion(0, (1, 1), (1, 1), 0)
    for _ in range(8):
        assert np.abs(still(dict(img=IMG))['img'].astype(int) - IMG).mean() < 3  # HSV rounding


@pytest.mark.parametrize('img', [IMG.astype(np.float32), IMG[..., 0], IMG[..., :2]])
def test_other_images_are_refused(img):
    with pytest.raises(ShapeError, match='8-bit colour'):
        PhotoMetricDistortion()(dict(img=img))
