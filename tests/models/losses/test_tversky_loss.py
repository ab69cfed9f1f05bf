import math

import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.losses import TverskyLoss
from segplug.models.losses.dice_loss import dice_loss
from segplug.models.losses.tversky_loss import tversky_loss


def test_two_pixels_by_hand():
    """softmax 3/4, 1/4 and 1/4, 3/4, both labelled 0.

    Class 0: TP 1, FP 0, FN 1. Class 1: TP 0, FP 1, FN 0.
    """
    pred = torch.tensor([[math.log(3), 0.0], [0.0, math.log(3)]]).T.view(1, 2, 1, 2)
    label = torch.zeros(1, 1, 2).long()
    zero, one = 1 - 2 / (1 + 0.7 + 1), 1 - 1 / (0.3 + 1)
    assert TverskyLoss()(pred, label).item() == pytest.approx((zero + one) / 2)
    assert TverskyLoss(class_weight=[1.0, 3.0])(pred, label).item() \
        == pytest.approx((zero + 3 * one) / 2)
    assert TverskyLoss(ignore_index=1)(pred, label).item() == pytest.approx(zero / 2)
    other = TverskyLoss(smooth=0.5, alpha=0.6, beta=0.4, loss_weight=2.0)
    assert other(pred, label).item() == pytest.approx(1 - 1.5 / 1.9 + 1 - 0.5 / 1.1)


def test_even_weights_are_dice():
    prob, target = torch.rand(2, 1, 6), torch.randint(0, 2, (2, 1, 6)).float()
    weight = torch.ones(2, 1, 6)
    assert torch.allclose(tversky_loss(prob, target, weight, 0.5, 0.5, 0.0)[:, 0],
                          dice_loss(prob, target, weight, eps=0.0, naive_dice=True))


def test_one_channel_has_a_sigmoid():
    """sigmoid 3/4 for label 1 and 1/2 for label 0: TP 3/4, FP 1/2, FN 1/4."""
    pred, label = torch.tensor([[[math.log(3), 0.0]]]), torch.tensor([[1, 0]])
    assert TverskyLoss()(pred, label).item() == pytest.approx(1 - 1.75 / (0.75 + 0.15 + 0.175 + 1))


def test_weights_that_do_not_add_up():
    with pytest.raises(ConfigError, match=r'alpha=0.5, beta=0.7.*beta=0.5'):
        TverskyLoss(alpha=0.5)
    TverskyLoss(alpha=0.1 + 0.2, beta=0.7)  # 1 but for rounding
