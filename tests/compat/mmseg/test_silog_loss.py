import math

import pytest
import torch

from segplug.errors import ShapeError
from segplug.registry import MODELS


def test_by_hand(lent):
    """Image 0 has one pixel that counts, twice too deep; in image 1 all is right."""
    from mmseg.models.losses import SiLogLoss
    pred = torch.tensor([[2.0, 5.0], [3.0, 4.0]])
    target = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    first = math.log(2) * math.sqrt(0.5)  # d^2 - d^2 / 2
    loss = MODELS.build(dict(type='SiLogLoss', loss_weight=2.0))
    assert type(loss) is SiLogLoss
    assert loss.loss_name == 'loss_silog'
    assert loss(pred, target).item() == pytest.approx(first)  # 2 * (first + 0) / 2
    assert loss(pred, target, reduction_override='none').tolist() == pytest.approx([2 * first, 0])
    assert loss(pred, target, torch.tensor([0.5, 1.0])).item() == pytest.approx(first / 2)
    with pytest.raises(ShapeError):
        loss(pred, target[:1])
