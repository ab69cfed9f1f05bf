import math

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, ShapeError
from segplug.models.losses import KLDivLoss

LOG3 = math.log(3)


def test_one_pixel_by_hand():
    """p = 3/4, 1/4 and q = 1/4, 3/4: 1/4 log 1/3 + 3/4 log 3 = 1/2 log 3."""
    pred, teacher = torch.tensor([[[LOG3], [0.0]]]), torch.tensor([[[0.0], [LOG3]]])
    assert KLDivLoss()(pred, teacher).item() == pytest.approx(LOG3 / 4)
    assert KLDivLoss(reduction='sum')(pred, teacher).item() == pytest.approx(LOG3 / 2)
    assert KLDivLoss(temperature=2.0)(2 * pred, 2 * teacher).item() == pytest.approx(LOG3)
    weight = torch.full((1, 1), 3.0)
    assert KLDivLoss()(pred, teacher, weight=weight).item() == pytest.approx(3 * LOG3 / 4)


def test_it_is_zero_at_the_teacher_and_nowhere_below():
    teacher = torch.randn(2, 4, 3)
    assert KLDivLoss()(teacher + 5, teacher).item() == pytest.approx(0, abs=1e-6)
    assert KLDivLoss(reduction='sum')(torch.randn(2, 4, 3), teacher) > 0


def test_of_labels_it_is_cross_entropy():
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[0, 0] = 255
    loss = KLDivLoss(avg_non_ignore=True)(pred, label, ignore_index=255)
    assert torch.allclose(3 * loss, F.cross_entropy(pred, label, ignore_index=255))


def test_wrong_arguments():
    with pytest.raises(ConfigError, match='temperature'):
        KLDivLoss(temperature=0)
    with pytest.raises(ShapeError, match='single channel'):
        KLDivLoss()(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
