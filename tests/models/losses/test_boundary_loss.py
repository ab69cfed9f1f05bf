import math

import pytest
import torch

from segplug.errors import ShapeError
from segplug.models.losses import BoundaryLoss


def test_boundary_and_rest_weigh_the_same():
    """One boundary pixel and three others at logit 0: 3/4 log 2 and three times 1/4 log 2."""
    pred, label = torch.zeros(1, 1, 1, 5), torch.tensor([[[1, 0, 0, 0, 255]]])
    total = 1.5 * math.log(2)
    assert BoundaryLoss()(pred, label).item() == pytest.approx(total / 5)
    assert BoundaryLoss(avg_non_ignore=True)(pred, label).item() == pytest.approx(total / 4)
    assert BoundaryLoss(loss_weight=20.0)(pred, label).item() == pytest.approx(20 * total / 5)
    assert BoundaryLoss()(pred, label, reduction_override='none').flatten().tolist() \
        == pytest.approx([0.75 * math.log(2)] + [0.25 * math.log(2)] * 3 + [0])


def test_shares_are_of_the_whole_batch():
    """sigmoid(log 3) = 3/4. Boundary in the first image, none in the second: shares 1/2 each."""
    pred, label = torch.full((2, 1, 1, 1), math.log(3)), torch.tensor([[[1]], [[0]]])
    assert BoundaryLoss()(pred, label).item() \
        == pytest.approx((0.5 * math.log(4 / 3) + 0.5 * math.log(4)) / 2)


def test_values_that_are_neither_do_not_count():
    pred, label = torch.randn(1, 1, 2, 3), torch.tensor([[[0, 1, 7], [1, 0, -1]]])
    known = torch.tensor([[[0, 1], [1, 0]]])
    assert torch.allclose(BoundaryLoss(avg_non_ignore=True)(pred, label),
                          BoundaryLoss()(pred[..., :2], known))
    assert torch.equal(BoundaryLoss()(pred, label.unsqueeze(1)), BoundaryLoss()(pred, label))
    pred[..., 2] = float('nan')
    assert BoundaryLoss()(pred, label).isfinite()


def test_an_image_without_a_boundary_costs_nothing():
    assert BoundaryLoss()(torch.randn(1, 1, 2, 2), torch.zeros(1, 2, 2)).item() == 0


def test_several_channels():
    with pytest.raises(ShapeError, match='one channel'):
        BoundaryLoss()(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2))
