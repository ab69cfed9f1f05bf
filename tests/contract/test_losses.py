"""What every registered loss keeps. A loss without a row in CASES fails."""

import pytest
import torch
from contracts import registered
from mmengine.structures import PixelData

from segplug.registry import MODELS
from segplug.structures import SegDataSample

CASES = {
    'CrossEntropyLoss': [
        dict(), dict(avg_non_ignore=True), dict(class_weight=[1.0, 0.5, 2.0]),
        dict(class_weight=[1.0, 0.5, 2.0], avg_non_ignore=True), dict(use_sigmoid=True),
        dict(use_sigmoid=True, avg_non_ignore=True),
        dict(use_sigmoid=True, class_weight=[1.0, 0.5, 2.0]), dict(use_sigmoid=True, channels=1)],
    'BoundaryLoss': [dict(channels=1), dict(channels=1, avg_non_ignore=True)],
    'DiceLoss': [dict(), dict(use_sigmoid=False), dict(naive_dice=True, channels=1),
                 dict(use_sigmoid=False, naive_dice=True, eps=0.0), dict(ignore_index=2)],
    'FocalLoss': [dict(), dict(avg_non_ignore=True), dict(channels=1), dict(gamma=0.5),
                  dict(alpha=[0.25, 0.5, 0.75], class_weight=[1.0, 0.5, 2.0])],
    'HuasdorffDisstanceLoss': [dict(), dict(avg_non_ignore=True),
                               dict(class_weight=[1.0, 0.5, 2.0])],
    'KLDivLoss': [dict(), dict(temperature=2.0), dict(avg_non_ignore=True)],
    'LovaszLoss': [dict(), dict(classes='all'), dict(classes=[1, 2], per_image=True),
                   dict(class_weight=[1.0, 0.5, 2.0]), dict(loss_type='binary', channels=1),
                   dict(loss_type='binary', channels=1, per_image=True)],
    'OhemCrossEntropy': [dict(thres=0.3, min_kept=8), dict(class_weight=[1.0, 0.5, 2.0])],
    'TverskyLoss': [dict(), dict(smooth=0.0), dict(class_weight=[1.0, 0.5, 2.0]),
                    dict(channels=1), dict(ignore_index=2)],
}
ROWS = [dict(type=name, **row) for name, rows in CASES.items() for row in rows]


def _build(row: dict, **more) -> torch.nn.Module:
    return MODELS.build({k: v for k, v in row.items() if k != 'channels'} | more)


def _logits(row: dict, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, row.get('channels', 3), 4, 5, requires_grad=True,
                       generator=torch.Generator().manual_seed(seed))


def _label(row: dict) -> torch.Tensor:
    label = torch.randint(0, max(2, row.get('channels', 3)), (2, 4, 5),
                          generator=torch.Generator().manual_seed(1))
    label[0, 1:3] = 255
    label[1, :, 0] = 255
    return label


def test_every_loss_has_a_row():
    assert registered('losses') == set(CASES)


@pytest.mark.parametrize('row', ROWS, ids=str)
@pytest.mark.parametrize('ignore_index', [255, -1, 300])
def test_logits_under_ignored_pixels_move_nothing(row, ignore_index):
    criterion, label, first = _build(row), _label(row), _logits(row)
    ignored = (label == 255).unsqueeze(1)
    label[label == 255] = ignore_index
    second = torch.where(ignored, _logits(row, 2) * 50, first).detach().requires_grad_()
    losses = [criterion(x, label, ignore_index=ignore_index) for x in (first, second)]
    for loss in losses:
        loss.backward()
    assert torch.equal(*losses)
    assert torch.equal(first.grad, second.grad)
    assert (first.grad[ignored.expand_as(first)] == 0).all()
    assert (first.grad != 0).any()
    assert first.grad.isfinite().all()


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_a_batch_that_is_ignored_as_a_whole_is_zero(row):
    logits = _logits(row)
    loss = _build(row)(logits, torch.full((2, 4, 5), 255), ignore_index=255)
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_it_falls_as_the_right_logits_rise_and_takes_a_weight_and_a_name(row):
    criterion, label, logits = _build(row, loss_name='loss_x'), _label(row), _logits(row)
    known = label.where(label != 255, 0).unsqueeze(1)
    right = (2.0 * known - 1 if logits.size(1) == 1
             else torch.zeros_like(logits).scatter_(1, known, 1.0))
    better = criterion(logits + right, label, ignore_index=255)
    assert better < criterion(logits, label, ignore_index=255)
    assert criterion.loss_name == 'loss_x'
    weighted = _build(row, loss_weight=0.25)(logits, label, ignore_index=255)
    assert torch.allclose(weighted, 0.25 * criterion(logits, label, ignore_index=255))


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_a_pixel_of_weight_zero_is_out(row):
    criterion, label, logits = _build(row), _label(row), _logits(row)
    weight = torch.ones(2, 4, 5)
    weight[0, 0] = 0
    criterion(logits, label, weight=weight, ignore_index=255).backward()
    assert (logits.grad[0, :, 0] == 0).all()


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_a_call_chooses_the_reduction(row):
    criterion, label, logits = _build(row), _label(row), _logits(row)
    none, mean, total = (criterion(logits, label, ignore_index=255, reduction_override=name)
                         for name in ('none', 'mean', 'sum'))
    assert torch.allclose(none.sum(), total)
    assert mean.ndim == total.ndim == 0
    if none.ndim:
        seventh = criterion(logits, label, ignore_index=255, avg_factor=7)
        assert torch.allclose(seventh, total / 7)


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_half_precision_logits_cost_what_their_values_do(row):
    criterion, label, logits = _build(row), _label(row), _logits(row).detach().bfloat16()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = criterion(logits, label, ignore_index=255)
    assert half.dtype == torch.float32
    assert torch.allclose(half, criterion(logits.float(), label, ignore_index=255), rtol=1e-4)


@pytest.mark.parametrize('row', ROWS, ids=str)
def test_memory_format_changes_next_to_nothing(row):
    """Logits of a channels_last network, and the transposed ones of attention over pixels."""
    criterion, label, plain = _build(row), _label(row), _logits(row)
    wanted = criterion(plain, label, ignore_index=255)
    wanted.backward()
    for strided in (plain.detach().contiguous(memory_format=torch.channels_last),
                    plain.detach().transpose(2, 3).contiguous().transpose(2, 3)):
        strided.requires_grad_()
        loss = criterion(strided, label, ignore_index=255)
        loss.backward()
        assert torch.allclose(loss, wanted, rtol=1e-5)
        assert torch.allclose(strided.grad, plain.grad, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('row', ROWS, ids=str)
@pytest.mark.parametrize('several', [False, True])
def test_it_trains_a_head(row, several):
    channels = row.get('channels', 3)
    cfg = {k: v for k, v in row.items() if k != 'channels'}
    other = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_name='loss_other')
    head = MODELS.build(dict(
        type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False,
        num_classes=max(2, channels), out_channels=channels,
        loss_decode=[cfg, other] if several else cfg))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one[None].to(torch.uint8)))
               for one in _label(row)]
    losses = head.loss([torch.randn(2, 4, 2, 3)], samples)
    names = {head.loss_decode[0].loss_name, 'loss_other'} if several else {
        head.loss_decode.loss_name}
    assert set(losses) == names | {'acc_seg'}
    sum(losses[name] for name in names).backward()
    assert (head.conv_seg.weight.grad != 0).any()
