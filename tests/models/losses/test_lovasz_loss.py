import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses import LovaszLoss
from segplug.models.losses.lovasz_loss import lovasz_flat, lovasz_grad


def test_three_pixels_by_hand():
    """Errors .6 (foreground), .4 (background), .2 (foreground) of two foreground pixels.

    The Jaccard loss after each: 1 - 1/2, 1 - 1/3, 1 - 0/3; steps 1/2, 1/6, 1/3.
    """
    truth, ones = torch.tensor([1.0, 0.0, 1.0]), torch.ones(3)
    assert lovasz_grad(truth, ones).tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 3])
    shuffled = [2, 0, 1]
    errors = torch.tensor([0.6, 0.4, 0.2])
    assert lovasz_flat(errors[shuffled], truth[shuffled], ones).item() \
        == pytest.approx(0.3 + 0.4 / 6 + 0.2 / 3)


def test_the_hinge_by_hand():
    """Background at 1/4: error 5/4; foreground at 1/2: error 1/2; steps 1/2 each.

    A background pixel at -3 has no error left.
    """
    pred, label = torch.tensor([0.25, 0.5, -3.0]).view(1, 1, 1, 3), torch.tensor([[[0, 1, 0]]])
    assert LovaszLoss('binary')(pred, label).item() == pytest.approx(1.25 / 2 + 0.5 / 2)


def _one_minus_iou(pred: torch.Tensor, label: torch.Tensor, k: int) -> float:
    pred = {i for i, v in enumerate(pred.flatten().tolist()) if v == k}
    label = {i for i, v in enumerate(label.flatten().tolist()) if v == k}
    return 1 - len(pred & label) / len(pred | label)


@pytest.mark.parametrize('classes', ['present', 'all', [1, 3]])
@pytest.mark.parametrize('per_image', [False, True])
def test_of_sure_predictions_it_is_one_minus_the_iou(classes, per_image):
    """What makes it an extension of the Jaccard loss. Class 3 is predicted, but nowhere."""
    generator = torch.Generator().manual_seed(0)
    found = torch.randint(0, 4, (2, 4, 5), generator=generator)
    label = torch.randint(0, 3, (2, 4, 5), generator=generator)
    logits = 1e4 * torch.nn.functional.one_hot(found, 4).movedim(-1, 1).float()
    chosen = dict(present=[0, 1, 2], all=[0, 1, 2, 3]).get(str(classes), classes)
    parts = [[0], [1]] if per_image else [[0, 1]]
    want = sum(_one_minus_iou(found[i], label[i], k)
               for i in parts for k in chosen) / len(parts) / len(chosen)
    loss = LovaszLoss(classes=classes, per_image=per_image)
    assert loss(logits, label).item() == pytest.approx(want)


def test_class_weights():
    pred, label = torch.randn(1, 3, 4, 5), torch.randint(0, 3, (1, 4, 5))
    each = [LovaszLoss(classes=[k])(pred, label).item() for k in range(3)]
    assert LovaszLoss(classes='all', class_weight=[1.0, 2.0, 5.0])(pred, label).item() \
        == pytest.approx((each[0] + 2 * each[1] + 5 * each[2]) / 3)


def test_counts_beyond_the_digits_of_single_precision():
    """2^24 + 1 is 2^24 in float32: the second pixel would have no gradient."""
    grad = lovasz_grad(torch.tensor([0.0, 0.0, 1.0]), torch.tensor([2.0 ** 24, 1.0, 1.0]))
    assert grad[1].item() == pytest.approx(1 / ((2 ** 24 + 1) * (2 ** 24 + 2)), rel=0.1,
                                             abs=0)


def test_an_image_that_is_ignored_costs_nothing():
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[1] = 255
    loss = LovaszLoss(per_image=True, reduction='none')
    both, first = loss(pred, label), loss(pred[:1], label[:1])
    assert both.tolist() == pytest.approx([first.item(), 0])
    assert LovaszLoss(per_image=True)(pred, label, avg_factor=1).item() \
        == pytest.approx(first.item())


def test_wrong_arguments():
    pred, label = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2).long()
    with pytest.raises(ConfigError, match='loss_type'):
        LovaszLoss(loss_type='multiclass')
    for classes in ('some', []):
        with pytest.raises(ConfigError, match='classes'):
            LovaszLoss(classes=classes)
    with pytest.raises(ShapeError, match='0 to 1'):
        LovaszLoss(classes=[1, 2])(pred, label)
    with pytest.raises(ShapeError, match='multi_class'):
        LovaszLoss('binary')(pred, label)
    with pytest.raises(ShapeError, match='binary'):
        LovaszLoss()(pred[:, :1], label)
