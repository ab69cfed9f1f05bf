import math

import pytest
import torch

from segplug.models.losses import DiceLoss


def test_two_pixels_by_hand():
    """p = 1/2, 1 and t = 1, 0: overlap 1/2, sums 3/2 and 1, squares 5/4 and 1."""
    prob, label = torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[1, 0]]])
    naive = DiceLoss(activate=False, naive_dice=True, eps=0.0)
    assert naive(prob, label).item() == pytest.approx(1 - 1 / 2.5)
    squares = DiceLoss(activate=False, eps=0.0)
    assert squares(prob, label).item() == pytest.approx(1 - 1 / 2.25)
    assert DiceLoss(activate=False, eps=0.5, naive_dice=True)(prob, label).item() \
        == pytest.approx(1 - 1.5 / 3)
    assert DiceLoss(activate=False, eps=0.5)(prob, label).item() == pytest.approx(1 - 1 / 3.25)


def test_classes_of_an_image_are_taken_together():
    """softmax 3/4 and 1/4, label 0: overlap 3/4; squares 10/16 and 1. sigmoid 3/4 and 1/2."""
    pred, label = torch.tensor([math.log(3), 0.0]).view(1, 2, 1, 1), torch.zeros(1, 1, 1).long()
    assert DiceLoss(use_sigmoid=False, eps=0.0)(pred, label).item() \
        == pytest.approx(1 - 1.5 / 1.625)
    assert DiceLoss(eps=0.0)(pred, label).item() == pytest.approx(1 - 1.5 / (13 / 16 + 1))


def test_images_are_reduced():
    pred = torch.tensor([[[1.0]], [[0.5]]])
    label = torch.ones(2, 1).long()
    losses = [0.0, 1 - 1 / 1.25]
    for reduction, value in (('none', losses), ('sum', sum(losses)), ('mean', sum(losses) / 2)):
        loss = DiceLoss(activate=False, eps=0.0, reduction=reduction)
        assert loss(pred, label).tolist() == pytest.approx(value)
    assert DiceLoss(activate=False, eps=0.0, loss_weight=3.0)(pred, label, avg_factor=4).item() \
        == pytest.approx(3 * sum(losses) / 4)


@pytest.mark.parametrize('naive', [False, True])
def test_ignored_pixels_are_as_if_cut_off(naive):
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[:, 3:] = 255
    loss = DiceLoss(naive_dice=naive)
    assert torch.allclose(loss(pred, label), loss(pred[:, :, :3], label[:, :3]))


def test_an_ignored_class_takes_no_part():
    """Two pixels of classes 0, 1 and one that is ignored: its channel and its pixel are out."""
    prob = torch.tensor([[0.5, 0.2, 0.9], [0.5, 0.8, 0.9], [0.7, 0.7, 0.9]]).view(1, 3, 1, 3)
    loss = DiceLoss(activate=False, ignore_index=2)(prob, torch.tensor([[[0, 1, 2]]]))
    assert torch.allclose(loss, DiceLoss(activate=False)(prob[:, :2, :, :2],
                                                         torch.tensor([[[0, 1]]])))


def test_one_channel_has_a_sigmoid_either_way():
    pred, label = torch.randn(2, 1, 4, 5), torch.randint(0, 2, (2, 4, 5))
    assert torch.equal(DiceLoss(use_sigmoid=False)(pred, label), DiceLoss()(pred, label))
    assert DiceLoss()(20.0 * label[:, None] - 10, label) < 1e-3
