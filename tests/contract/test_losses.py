"""What every registered loss keeps. A loss without a row in CASES fails."""

import pytest
import torch

from segplug.registry import MODELS

CASES = {
    'CrossEntropyLoss': [
        dict(), dict(avg_non_ignore=True), dict(class_weight=[1.0, 0.5, 2.0]),
        dict(class_weight=[1.0, 0.5, 2.0], avg_non_ignore=True), dict(use_sigmoid=True),
        dict(use_sigmoid=True, avg_non_ignore=True),
        dict(use_sigmoid=True, class_weight=[1.0, 0.5, 2.0])],
}
ROWS = [dict(type=name, **row) for name, rows in CASES.items() for row in rows]


def _logits(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed),
                       requires_grad=True)


def _label() -> torch.Tensor:
    label = torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(1))
    label[0, 1:3] = 255
    label[1, :, 0] = 255
    return label


def test_every_loss_has_a_row():
    names = MODELS.names()
    ours = {n for n in names if getattr(MODELS.get(n), '__module__', '').startswith(
        'segplug.models.losses')}
    assert ours == set(CASES)


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_logits_under_ignored_pixels_move_nothing(cfg):
    criterion, label = MODELS.build(cfg), _label()
    ignored = (label == 255).unsqueeze(1)
    first = _logits()
    second = torch.where(ignored, _logits(2) * 50, first).detach().requires_grad_()
    losses = [criterion(x, label, ignore_index=255) for x in (first, second)]
    for loss in losses:
        loss.backward()
    assert torch.equal(*losses)
    assert torch.equal(first.grad, second.grad)
    assert (first.grad[ignored.expand_as(first)] == 0).all()
    assert (first.grad != 0).any()


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_a_batch_that_is_ignored_as_a_whole_is_zero(cfg):
    logits = _logits()
    loss = MODELS.build(cfg)(logits, torch.full((2, 4, 5), 255), ignore_index=255)
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_it_falls_as_the_right_logits_rise_and_takes_a_weight_and_a_name(cfg):
    criterion, label, logits = MODELS.build(dict(**cfg, loss_name='loss_x')), _label(), _logits()
    right = torch.zeros_like(logits).scatter_(1, label.where(label != 255, 0).unsqueeze(1), 1.0)
    better = criterion(logits + right, label, ignore_index=255)
    assert better < criterion(logits, label, ignore_index=255)
    assert criterion.loss_name == 'loss_x'
    weighted = MODELS.build(dict(**cfg, loss_weight=0.25))(logits, label, ignore_index=255)
    assert torch.allclose(weighted, 0.25 * criterion(logits, label, ignore_index=255))


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_a_pixel_of_weight_zero_is_out(cfg):
    criterion, label, logits = MODELS.build(cfg), _label(), _logits()
    weight = torch.ones(2, 4, 5)
    weight[0, 0] = 0
    criterion(logits, label, weight=weight, ignore_index=255).backward()
    assert (logits.grad[0, :, 0] == 0).all()
