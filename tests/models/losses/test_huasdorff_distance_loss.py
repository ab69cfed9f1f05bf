import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from segplug.models.losses import HuasdorffDisstanceLoss
from segplug.models.losses.huasdorff_distance_loss import depth_map


def test_a_row_by_hand():
    """0 1 1 1 0: depths 1, 2, 1. p = 1/2 everywhere, the prediction (all 0) has no depth."""
    label = torch.tensor([[[0, 1, 1, 1, 0]]])
    pred = torch.zeros(1, 2, 1, 5)
    total = 0.25 * (1 + 4 + 1) / 2
    assert HuasdorffDisstanceLoss()(pred, label).item() == pytest.approx(total / 5)
    assert HuasdorffDisstanceLoss(reduction='sum')(pred, label).item() == pytest.approx(total)
    assert HuasdorffDisstanceLoss(class_weight=[9.0, 3.0])(pred, label).item() \
        == pytest.approx(3 * total / 5)


def test_ignored_pixels_are_no_contour():
    """? 1 1 0 ?: the contour is at the right only, so depths 2, 1; three pixels count."""
    label, pred = torch.tensor([[[255, 1, 1, 0, 255]]]), torch.zeros(1, 2, 1, 5)
    total = 0.25 * (4 + 1) / 2
    assert HuasdorffDisstanceLoss()(pred, label).item() == pytest.approx(total / 5)
    assert HuasdorffDisstanceLoss(avg_non_ignore=True)(pred, label).item() \
        == pytest.approx(total / 3)


def test_depth_is_scipys_distance():
    labels = np.random.default_rng(0).integers(0, 4, (9, 12)).repeat(3, 0).repeat(3, 1)
    want = sum(distance_transform_edt(labels == k) for k in (1, 2, 3))
    np.testing.assert_allclose(depth_map(labels, np.zeros(labels.shape, bool)), want, rtol=1e-6)


def test_depth_by_a_slow_loop_over_what_counts():
    rng = np.random.default_rng(1)
    labels, ignored = rng.integers(0, 3, (7, 8)), rng.random((7, 8)) < 0.3
    want = np.zeros((7, 8))
    for y, x in zip(*np.nonzero(~ignored & (labels > 0)), strict=True):
        others = np.argwhere(~ignored & (labels != labels[y, x]))
        want[y, x] = np.sqrt(((others - (y, x)) ** 2).sum(1)).min()
    np.testing.assert_allclose(depth_map(labels, ignored), want, rtol=1e-6)


@pytest.mark.parametrize('k', [0, 2])
def test_a_class_alone_in_an_image_has_no_depth(k):
    labels = np.full((3, 4), k)
    ignored = np.zeros((3, 4), bool)
    assert not depth_map(labels, ignored).any()
    labels[0], ignored[0] = 1, True
    assert not depth_map(labels, ignored).any()
    assert not depth_map(labels, np.ones((3, 4), bool)).any()


def test_the_formula_written_out():
    generator = torch.Generator().manual_seed(0)
    pred = torch.randn(2, 4, 6, 7, generator=generator)
    label = torch.randint(0, 4, (2, 6, 7), generator=generator)
    prob, total = pred.softmax(1).numpy(), 0.0
    for n in range(2):
        found = prob[n].argmax(0)
        for k in (1, 2, 3):
            truth = label[n].numpy() == k
            depth = distance_transform_edt(truth) ** 2 + distance_transform_edt(found == k) ** 2
            total += ((prob[n, k] - truth) ** 2 * depth).sum()
    assert HuasdorffDisstanceLoss()(pred, label).item() == pytest.approx(total / 4 / (2 * 6 * 7))
