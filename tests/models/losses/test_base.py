import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses import DiceLoss, FocalLoss, HuasdorffDisstanceLoss, TverskyLoss
from segplug.models.losses.base import BaseLoss, at_the_door, counted, per_pixel, widened


def test_labels_become_shares_and_ignored_pixels_nothing():
    pred = torch.full((1, 3, 1, 3), 7.0)
    logits, target, valid = at_the_door(pred, torch.tensor([[[2, 255, 9]]]), 255, 9)
    assert target.tolist() == [[[[0, 0, 0]], [[0, 0, 0]], [[1, 0, 0]]]]
    assert valid.tolist() == [[[[True, False, False]]]]
    assert logits[0, :, 0].tolist() == [[7, 0, 0]] * 3


@pytest.mark.parametrize('shape', [(1, 1, 4), (1, 4)])
def test_of_one_channel_label_one_is_the_foreground(shape):
    label = torch.tensor([1, 0, 255, 1]).view(shape)
    _, target, valid = at_the_door(torch.zeros(1, 1, 4), label, 255)
    assert target.flatten().tolist() == [1, 0, 0, 1]
    assert valid.flatten().tolist() == [True, True, False, True]


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_labels_of_any_integer_type(dtype):
    _, target, valid = at_the_door(torch.zeros(1, 2, 3), torch.tensor([[1, 0, 255]]).to(dtype), 255)
    assert target[0, 1].tolist() == [1, 0, 0]
    assert valid.sum() == 2


def test_shares_are_taken_as_they_are():
    pred, shares = torch.randn(1, 2, 1, 2), torch.tensor([[[[0.25, 1.0]], [[0.75, 0.0]]]])
    logits, target, valid = at_the_door(pred, shares, 255)
    assert torch.equal(logits, pred)
    assert torch.equal(target, shares)
    assert valid.all()
    one_hot = torch.tensor([[[[0, 1]], [[1, 0]]]])
    assert torch.equal(at_the_door(pred, one_hot, 255)[1], one_hot.float())


def test_what_lies_under_ignored_pixels_may_be_no_number():
    """A network that overflows under padding has no say in the loss."""
    pred = torch.randn(1, 3, 1, 4)
    pred[..., 1] = torch.tensor([float('nan'), float('inf'), -float('inf')])[None, :, None]
    label = torch.tensor([[[0, 255, 2, 1]]])
    for loss in (DiceLoss(), FocalLoss(), TverskyLoss(), HuasdorffDisstanceLoss()):
        logits = pred.clone().requires_grad_()
        value = loss(logits, label)
        value.backward()
        assert value.isfinite()
        assert logits.grad.isfinite().all()


def test_labels_that_do_not_fit():
    with pytest.raises(ShapeError, match=r'\(1, 3, 5\).*\(1, 4, 5\)'):
        counted(torch.zeros(1, 2, 4, 5), torch.zeros(1, 3, 5), 255)
    with pytest.raises(ShapeError, match='label does not fit'):
        at_the_door(torch.zeros(2, 2, 4, 5), torch.zeros(1, 4, 5, dtype=torch.int64), 255)


def test_weights_of_pixels():
    valid = torch.tensor([[[[True, False]]]])
    assert per_pixel(None, valid).tolist() == [[[[1, 0]]]]
    assert per_pixel(torch.tensor([[[3.0, 3.0]]]), valid).tolist() == [[[[3, 0]]]]
    with pytest.raises(ShapeError, match='one weight per pixel'):
        per_pixel(torch.ones(1, 2, 2), valid)


def test_class_weights_and_reductions_that_do_not_fit():
    with pytest.raises(ShapeError, match='2 weights'):
        FocalLoss(class_weight=[1.0, 2.0])(torch.zeros(1, 3, 2), torch.zeros(1, 2).long())
    with pytest.raises(ConfigError, match='average'):
        DiceLoss(reduction='average')


@pytest.mark.parametrize('loss', [DiceLoss, TverskyLoss, HuasdorffDisstanceLoss])
def test_the_own_default_does_not_ignore_class_255(loss):
    """Of 300 classes 255 is one, if the head says that nothing, or 1000, is ignored."""
    pred, label = torch.randn(1, 300, 4, 4), torch.full((1, 4, 4), 255)
    label[0, :2] = 7
    for ignore_index in (None, 1000):
        logits = pred.clone().requires_grad_()
        loss()(logits, label, ignore_index=ignore_index).backward()
        assert (logits.grad[:, :, 2:] != 0).any()
    logits = pred.clone().requires_grad_()
    loss()(logits, label).backward()
    assert (logits.grad[:, :, 2:] == 0).all()


@pytest.mark.parametrize('loss', [DiceLoss, TverskyLoss, HuasdorffDisstanceLoss])
def test_a_loss_may_ignore_one_label_more_than_its_head(loss):
    label = torch.tensor([[[0, 1, 2, 254, 255]]])
    logits = torch.randn(1, 3, 1, 5, requires_grad=True)
    loss(ignore_index=254)(logits, label, ignore_index=255).backward()
    assert (logits.grad[..., 3:] == 0).all()


@pytest.mark.parametrize('num_classes', [None, 2])
def test_a_mean_over_the_pixels_that_count(num_classes):
    """Two of four pixels count, each with losses of 3; one of them weighs 2."""
    shape = (1, 4) if num_classes is None else (1, num_classes, 4)
    valid = torch.tensor([[[True, False, True, False]]])
    loss = torch.full(shape, 3.0) * valid.view(1, 4)
    weight = torch.tensor([[2.0, 5.0, 1.0, 5.0]])
    over_all, over_valid = (BaseLoss('mean', 1.0, 'loss', avg_non_ignore=a)
                            for a in (False, True))
    assert over_all.reduce_pixels(loss, valid, weight, None, None).item() == 9 / 4
    assert over_valid.reduce_pixels(loss, valid, weight, None, None).item() == 9 / 2
    assert over_valid.reduce_pixels(loss, valid, weight, 3, None).item() \
        == 9 * (num_classes or 1) / 3
    assert over_valid.reduce_pixels(loss, valid, None, None, 'sum').item() \
        == 6 * (num_classes or 1)
    assert over_valid.reduce_pixels(loss, valid, None, None, 'none').shape == shape


def test_half_precision_is_widened_and_double_stays():
    assert widened(torch.zeros(1, dtype=torch.float16)).dtype == torch.float32
    assert widened(torch.zeros(1, dtype=torch.float64)).dtype == torch.float64
