import copy

import pytest
import torch
from mmengine.structures import PixelData

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses.ohem_pixel_sampler import costly_pixels, hard_pixels
from segplug.registry import MODELS, TASK_UTILS
from segplug.structures import SegDataSample


def _head(num_classes: int = 3, out_channels: int | None = None, loss=None,
          **sampler) -> torch.nn.Module:
    return MODELS.build(dict(
        type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False,
        num_classes=num_classes, out_channels=out_channels, dropout_ratio=0,
        loss_decode=loss or dict(type='CrossEntropyLoss'),
        sampler=dict(type='OHEMPixelSampler', **sampler)))


def test_hard_pixels_by_a_slow_loop():
    generator = torch.Generator().manual_seed(0)
    for thresh, min_kept in ((0.2, 5), (0.7, 5), (0.01, 30), (0.3, 1000)):
        logits = torch.randn(2, 3, 4, 5, generator=generator)
        label = torch.randint(0, 3, (2, 4, 5), generator=generator)
        label[0, 1] = 255
        prob = logits.softmax(1)
        right = {(n, y, x): prob[n, label[n, y, x], y, x].item() for n, y, x in
                 (label != 255).nonzero().tolist()}
        ranked = sorted(right.values())
        limit = max(thresh, ranked[min(min_kept, len(ranked) - 1)])
        want = {place for place, p in right.items() if p < limit}
        found = hard_pixels(logits, label, 255, thresh, min_kept)
        assert {tuple(place) for place in found.nonzero().tolist()} == want


def test_hard_pixels_of_one_channel():
    """sigmoid of 2 is .88: right for label 1, .12 for label 0."""
    logits = torch.tensor([[[2.0, 2.0, -2.0, -2.0, -2.0]]])
    label = torch.tensor([[1, 0, 1, 0, 255]])
    assert hard_pixels(logits, label, 255, 0.7, 1).tolist() == [[False, True, True, False, False]]


def test_nothing_is_hard_where_nothing_counts():
    label = torch.full((1, 4), 255)
    assert not hard_pixels(torch.randn(1, 3, 4), label, 255, 0.7, 2).any()
    assert not costly_pixels(torch.randn(1, 4), label != 255, 2).any()


def test_costly_pixels_by_hand():
    losses = torch.tensor([[3.0, 1.0], [9.0, 2.0]])
    valid = torch.tensor([[True, True], [False, True]])
    assert costly_pixels(losses, valid, 2).tolist() == [[True, False], [False, True]]
    assert costly_pixels(losses, valid, 9).tolist() == valid.tolist()
    assert costly_pixels(torch.ones(1, 3), torch.ones(1, 3).bool(), 2).tolist() \
        == [[True, True, False]]


@pytest.mark.parametrize('thresh', [None, 0.7])
def test_min_kept_is_per_image_of_the_batch(thresh):
    """Sure pixels are all above the threshold, so that of two images twice three are kept."""
    head = _head(thresh=thresh, min_kept=3)
    label = torch.randint(0, 3, (2, 1, 4, 5))
    logits = torch.zeros(2, 3, 4, 5).scatter_(1, label, 10 + torch.rand(2, 1, 4, 5))
    weight = head.sampler.sample(logits, label)
    assert weight.shape == (2, 4, 5)
    assert weight.dtype == logits.dtype
    assert weight.sum() == 6


@pytest.mark.parametrize('loss', [
    dict(type='CrossEntropyLoss'), dict(type='CrossEntropyLoss', use_sigmoid=True),
    dict(type='FocalLoss'), [dict(type='CrossEntropyLoss'), dict(type='FocalLoss')]], ids=str)
def test_pixels_are_ranked_by_the_losses_of_the_head(loss):
    """The single wrong pixel costs most by any of them."""
    head, label = _head(loss=loss, min_kept=2), torch.zeros(1, 1, 3, 3).long()
    logits = torch.tensor([5.0, 0.0, 0.0]).view(1, 3, 1, 1).repeat(1, 1, 3, 3)
    logits[0, :, 1, 2] = torch.tensor([0.0, 9.0, 0.0])
    weight = head.sampler.sample(logits, label)
    assert weight[0, 1, 2] == 1
    assert weight.sum() == 2


def test_a_loss_without_pixels_cannot_rank_them():
    head = _head(loss=[dict(type='CrossEntropyLoss'), dict(type='DiceLoss')])
    with pytest.raises(ConfigError, match=r'DiceLoss.*thresh'):
        head.sampler.sample(torch.randn(2, 3, 4, 5), torch.zeros(2, 1, 4, 5).long())


def test_it_weighs_the_loss_of_its_head():
    torch.manual_seed(0)
    head = _head(min_kept=4)
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.randint(0, 3, (1, 4, 5))))
    levels = [torch.randn(1, 4, 4, 5)]
    each = torch.nn.functional.cross_entropy(head(levels), sample.gt_sem_seg.data, reduction='none')
    loss = head.loss(levels, [sample])['loss_ce']
    assert loss.item() == pytest.approx(each.flatten().sort().values[-4:].sum().item() / 20)
    loss.backward()


def test_it_goes_with_its_head():
    head = copy.deepcopy(_head(thresh=0.7, min_kept=100))
    assert head.sampler.context is head
    assert not [name for name in head.state_dict() if 'sampler' in name]


def test_wrong_arguments():
    for min_kept in (1, 0):
        with pytest.raises(ConfigError, match='at least 2'):
            _head(min_kept=min_kept)
    with pytest.raises(ConfigError, match='thresh'):
        TASK_UTILS.build(dict(type='OHEMPixelSampler', context=None, thres=0.7))


def test_labels_of_another_size_are_refused():
    sampler = TASK_UTILS.build(dict(type='OHEMPixelSampler', context=_head(), thresh=0.7))
    with pytest.raises(ShapeError, match='does not fit the logits'):
        sampler.sample(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 8, 8, dtype=torch.long))
