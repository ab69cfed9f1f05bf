import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses import CrossEntropyLoss
from segplug.registry import MODELS

LOG3 = math.log(3)


def _two_pixels() -> tuple[torch.Tensor, torch.Tensor]:
    """Two pixels, two classes, both labelled 0. softmax 3/4 and 1/4: losses log(4/3), log(4)."""
    logits = torch.tensor([[LOG3, 0.0], [0.0, LOG3]], dtype=torch.float64)
    return logits.T.view(1, 2, 1, 2), torch.tensor([[[0, 0]]])


def test_mean_sum_and_none():
    pred, label = _two_pixels()
    a, b = math.log(4 / 3), math.log(4)
    assert CrossEntropyLoss()(pred, label).item() == pytest.approx((a + b) / 2, rel=1e-12)
    assert CrossEntropyLoss(reduction='sum')(pred, label).item() == pytest.approx(a + b)
    assert CrossEntropyLoss(reduction='none')(pred, label).flatten().tolist() \
        == pytest.approx([a, b])
    assert CrossEntropyLoss(loss_weight=0.4)(pred, label).item() \
        == pytest.approx(0.4 * (a + b) / 2)
    assert CrossEntropyLoss()(pred, label, avg_factor=10).item() == pytest.approx((a + b) / 10)
    assert CrossEntropyLoss()(pred, label, reduction_override='sum').item() \
        == pytest.approx(a + b)


def test_mean_is_over_all_pixels_unless_asked():
    pred, label = _two_pixels()
    label[0, 0, 1] = 255
    one = math.log(4 / 3)
    assert CrossEntropyLoss()(pred, label, ignore_index=255).item() == pytest.approx(one / 2)
    assert CrossEntropyLoss(avg_non_ignore=True)(pred, label, ignore_index=255).item() \
        == pytest.approx(one)


def test_pixel_weights():
    pred, label = _two_pixels()
    weight = torch.tensor([[[2.0, 0.5]]])
    assert CrossEntropyLoss()(pred, label, weight=weight).item() \
        == pytest.approx((2 * math.log(4 / 3) + 0.5 * math.log(4)) / 2)


@pytest.mark.parametrize('avg_non_ignore', [False, True])
def test_class_weights(avg_non_ignore):
    """Labels 0, 1, ignored: losses log(4/3), log(4/3); weights 2, 6; ignored counts one or not."""
    pred = torch.tensor([[LOG3, 0.0, 5.0], [0.0, LOG3, 1.0]]).view(1, 2, 1, 3)
    label = torch.tensor([[[0, 1, 255]]])
    loss = CrossEntropyLoss(class_weight=[2.0, 6.0], avg_non_ignore=avg_non_ignore)
    share = 8 if avg_non_ignore else 9
    assert loss(pred, label, ignore_index=255).item() \
        == pytest.approx(8 * math.log(4 / 3) / share)


@pytest.mark.parametrize('avg_non_ignore', [False, True])
def test_class_weights_of_one_change_nothing(avg_non_ignore):
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[0, :2] = 255
    plain = CrossEntropyLoss(avg_non_ignore=avg_non_ignore)(pred, label, ignore_index=255)
    ones = CrossEntropyLoss(class_weight=[1.0] * 3, avg_non_ignore=avg_non_ignore)
    assert ones(pred, label, ignore_index=255).item() == pytest.approx(plain.item())


@pytest.mark.parametrize('class_weight', [None, [0.5, 2.0, 1.0]])
def test_avg_non_ignore_is_torch(class_weight):
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[:, 0] = 255
    loss = CrossEntropyLoss(class_weight=class_weight, avg_non_ignore=True)
    weight = None if class_weight is None else torch.tensor(class_weight)
    assert loss(pred, label, ignore_index=255).item() \
        == pytest.approx(F.cross_entropy(pred, label, weight, ignore_index=255).item())


def test_sigmoid_of_one_channel():
    """sigmoid(log 3) = 3/4: label 1 costs log(4/3), label 0 log(4), ignored nothing."""
    pred = torch.full((1, 1, 1, 3), LOG3)
    label = torch.tensor([[[1, 0, 255]]])
    total = math.log(4 / 3) + math.log(4)
    loss = CrossEntropyLoss(use_sigmoid=True)
    assert loss(pred, label, ignore_index=255).item() == pytest.approx(total / 3)
    loss = CrossEntropyLoss(use_sigmoid=True, avg_non_ignore=True)
    assert loss(pred, label, ignore_index=255).item() == pytest.approx(total / 2)


def test_sigmoid_of_each_class():
    """One pixel of class 1 among 3, all logits log 3: log(4/3) for it, log(4) for the others.

    Class weight 5 multiplies the positive term of class 1.
    """
    pred, label = torch.full((1, 3, 1, 1), LOG3), torch.tensor([[[1]]])
    assert CrossEntropyLoss(use_sigmoid=True)(pred, label).item() \
        == pytest.approx((math.log(4 / 3) + 2 * math.log(4)) / 3)
    weighted = CrossEntropyLoss(use_sigmoid=True, class_weight=[1.0, 5.0, 1.0])
    assert weighted(pred, label).item() \
        == pytest.approx((5 * math.log(4 / 3) + 2 * math.log(4)) / 3)
    pixel = CrossEntropyLoss(use_sigmoid=True)(pred, label, weight=torch.full((1, 1, 1), 3.0))
    assert pixel.item() == pytest.approx(math.log(4 / 3) + 2 * math.log(4))


def test_sigmoid_of_labels_that_say_each_class_by_itself():
    """A pixel of two classes at once, and one whose second class does not count."""
    pred = torch.tensor([[0., 2.], [1., -1.]]).view(1, 2, 1, 2)  # K, then the two pixels
    label = torch.tensor([[1, 0], [1, 255]]).view(1, 2, 1, 2)
    costs = [math.log(2), 2 + math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1))]
    loss = CrossEntropyLoss(use_sigmoid=True)(pred, label, ignore_index=255)
    assert loss.item() == pytest.approx(sum(costs) / 4)
    of_known = CrossEntropyLoss(use_sigmoid=True, avg_non_ignore=True)
    assert of_known(pred, label, ignore_index=255).item() == pytest.approx(sum(costs) / 3)
    weight = torch.tensor([[[1., 0.]]])  # of each pixel, whatever the class
    weighted = CrossEntropyLoss(use_sigmoid=True)(pred, label, weight, ignore_index=255)
    assert weighted.item() == pytest.approx((costs[0] + costs[2]) / 4)


def test_ignore_index_none_lets_all_pixels_count():
    pred, label = _two_pixels()
    assert torch.equal(CrossEntropyLoss()(pred, label, ignore_index=None),
                       CrossEntropyLoss()(pred, label))


@pytest.mark.parametrize('autocast', [False, True])
@pytest.mark.parametrize('use_sigmoid', [False, True])
def test_half_precision_logits_lose_no_more_than_their_own_digits(autocast, use_sigmoid):
    pred, label = torch.randn(2, 3, 32, 32).bfloat16(), torch.randint(0, 3, (2, 32, 32))
    loss = CrossEntropyLoss(class_weight=[0.1, 0.7, 1.9], use_sigmoid=use_sigmoid)
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=autocast):
        half = loss(pred, label)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss(pred.double(), label).item(), rel=1e-5)


def test_class_weights_are_not_saved():
    assert not CrossEntropyLoss(class_weight=[1.0, 2.0]).state_dict()


def test_class_weights_from_a_file(tmp_path):
    np.save(tmp_path / 'w.npy', np.array([1.0, 2.0]))
    (tmp_path / 'w.json').write_text(json.dumps([1.0, 2.0]))
    for name in ('w.npy', 'w.json'):
        assert CrossEntropyLoss(class_weight=str(tmp_path / name)).class_weight == [1.0, 2.0]


@pytest.mark.parametrize('name', ['missing.npy', 'missing.json', 'weights.pkl'])
def test_class_weight_files_that_cannot_be_read(name, tmp_path):
    with pytest.raises(ConfigError, match=name):
        CrossEntropyLoss(class_weight=str(tmp_path / name))


def test_one_channel_has_no_softmax():
    with pytest.raises(ShapeError, match='use_sigmoid=True'):
        CrossEntropyLoss()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64))


def test_wrong_number_of_class_weights():
    pred, label = _two_pixels()
    with pytest.raises(ShapeError, match='3 weights'):
        CrossEntropyLoss(class_weight=[1, 2, 3])(pred, label)


def test_wrong_arguments():
    pred, label = _two_pixels()
    with pytest.raises(ConfigError, match='use_mask'):
        CrossEntropyLoss(use_mask=True)
    with pytest.raises(ConfigError, match='median'):
        CrossEntropyLoss(reduction='median')(pred, label)
    with pytest.raises(ConfigError, match='avg_factor'):
        CrossEntropyLoss(reduction='sum')(pred, label, avg_factor=2)
    with pytest.raises(ConfigError, match='avg_non_ignore'):
        MODELS.build(dict(type='CrossEntropyLoss', avg_non_ignored=True))


def test_a_hooked_loss_is_called_with_large_logits():
    loss = CrossEntropyLoss()
    assert loss.takes_small_logits
    loss.register_forward_hook(lambda *_: None)
    assert not loss.takes_small_logits
