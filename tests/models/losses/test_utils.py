import pytest
import torch

from segplug.models.losses import weight_reduce_loss


def test_weights_and_reductions():
    loss, weight = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 2.0])
    assert weight_reduce_loss(loss, weight, 'none').tolist() == [1, 0, 6]
    assert weight_reduce_loss(loss, weight, 'sum').item() == 7
    assert weight_reduce_loss(loss, weight).item() == pytest.approx(7 / 3)
    assert weight_reduce_loss(loss, weight, avg_factor=2).item() == 3.5


def test_nothing_to_average_over_is_zero():
    assert weight_reduce_loss(torch.zeros(4), avg_factor=0).item() == 0
    assert weight_reduce_loss(torch.zeros(4), avg_factor=torch.tensor(0)).item() == 0
