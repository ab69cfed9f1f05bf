import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses.utils import reduce_loss, weight_reduce_loss, weighted_loss


def test_weights_and_reductions():
    loss, weight = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 2.0])
    assert weight_reduce_loss(loss, weight, 'none').tolist() == [1, 0, 6]
    assert weight_reduce_loss(loss, weight, 'sum').item() == 7
    assert weight_reduce_loss(loss, weight).item() == pytest.approx(7 / 3)
    assert weight_reduce_loss(loss, weight, avg_factor=2).item() == 3.5


def test_nothing_to_average_over_is_zero():
    assert weight_reduce_loss(torch.zeros(4), avg_factor=0).item() == 0
    assert weight_reduce_loss(torch.zeros(4), avg_factor=torch.tensor(0)).item() == 0


def test_reductions_that_are_none():
    with pytest.raises(ConfigError, match="'men'"):
        reduce_loss(torch.zeros(4), 'men')
    with pytest.raises(ConfigError, match="'men'"):
        weight_reduce_loss(torch.zeros(4), reduction='men')
    with pytest.raises(ConfigError, match="'sum' with avg_factor"):
        weight_reduce_loss(torch.zeros(4), reduction='sum', avg_factor=2)


def test_a_third_partys_loss_of_elements_gets_weights_and_reductions():
    @weighted_loss
    def distance(pred, target, power=1):
        """How far off."""
        return (pred - target).abs() ** power

    pred, target = torch.tensor([1.0, 3.0]), torch.zeros(2)
    assert distance(pred, target).item() == 2
    assert distance(pred, target, power=2).item() == 5
    assert distance(pred, target, torch.tensor([2.0, 1.0]), 'none').tolist() == [2, 3]
    assert distance(pred, target, reduction='sum').item() == 4
    assert distance(pred, target, avg_factor=8).item() == 0.5
    assert (distance.__name__, distance.__doc__) == ('distance', 'How far off.')


@pytest.mark.parametrize('shape', [(4, 4), (1, 2, 4, 4), (1, 3, 4, 2)])
def test_weights_of_another_shape_are_refused(shape):
    with pytest.raises(ShapeError, match='does not fit'):
        weight_reduce_loss(torch.ones(1, 3, 4, 4), torch.ones(shape))
    assert weight_reduce_loss(torch.ones(1, 3, 4, 4), torch.ones(1, 1, 4, 4)) == 1
