import math

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses import FocalLoss
from segplug.models.losses.focal_loss import focal_loss

# sigmoid(log 3) = 3/4: what a target of 1 and of 0 cost with gamma 2, before alpha.
ONE, ZERO = (1 / 4) ** 2 * math.log(4 / 3), (3 / 4) ** 2 * math.log(4)


def test_one_channel_by_hand():
    pred, label = torch.full((1, 1, 1, 3), math.log(3)), torch.tensor([[[1, 0, 255]]])
    total = 0.25 * ONE + 0.75 * ZERO
    assert FocalLoss(alpha=0.25)(pred, label).item() == pytest.approx(total / 3)
    assert FocalLoss(alpha=0.25, avg_non_ignore=True)(pred, label).item() \
        == pytest.approx(total / 2)
    assert FocalLoss(alpha=0.25, reduction='sum')(pred, label).item() == pytest.approx(total)
    assert FocalLoss(alpha=0.25)(pred, label, avg_factor=5).item() == pytest.approx(total / 5)


def test_each_class_by_hand():
    """One pixel of class 1 of 3, all logits log 3."""
    pred, label = torch.full((1, 3, 1, 1), math.log(3)), torch.tensor([[[1]]])
    assert FocalLoss()(pred, label).item() == pytest.approx(0.5 * (ONE + 2 * ZERO) / 3)
    alpha = FocalLoss(alpha=[0.1, 0.2, 0.4], class_weight=[1.0, 2.0, 3.0])
    assert alpha(pred, label).item() \
        == pytest.approx((0.9 * ZERO + 2 * 0.2 * ONE + 3 * 0.6 * ZERO) / 3)
    weight = torch.full((1, 1, 1), 7.0)
    assert FocalLoss()(pred, label, weight=weight).item() \
        == pytest.approx(7 * 0.5 * (ONE + 2 * ZERO) / 3)


def test_without_focus_it_is_cross_entropy():
    logits, target = torch.randn(50), torch.rand(50)
    assert torch.allclose(2 * focal_loss(logits, target, gamma=0.0),
                          F.binary_cross_entropy_with_logits(logits, target, reduction='none'))


def test_shares_and_labels_cost_the_same():
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    shares = F.one_hot(label, 3).movedim(-1, 1).float()
    assert torch.allclose(FocalLoss()(pred, shares), FocalLoss()(pred, label))


@pytest.mark.parametrize('gamma', [0.0, 0.5, 1.0, 2.0])
def test_sure_logits_have_finite_gradients(gamma):
    logits = torch.tensor([[[-500.0, -30.0, 30.0, 500.0]] * 2], requires_grad=True)
    FocalLoss(gamma=gamma)(logits, torch.tensor([[0, 1, 0, 1]])).backward()
    assert logits.grad.isfinite().all()


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='use_sigmoid'):
        FocalLoss(use_sigmoid=False)
    with pytest.raises(ConfigError, match='share'):
        FocalLoss(alpha=[0.5, 2.0])
    with pytest.raises(ShapeError, match='one per class'):
        FocalLoss(alpha=[0.5, 0.5])(torch.zeros(1, 3, 2), torch.zeros(1, 2).long())
