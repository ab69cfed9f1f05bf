import math

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ShapeError
from segplug.models.losses import OhemCrossEntropy

PROBS = [0.9, 0.2, 0.8, 0.5]


def _pixels() -> tuple[torch.Tensor, torch.Tensor]:
    """Four pixels labelled 0, whose right class has the probabilities PROBS."""
    odds = torch.tensor(PROBS, dtype=torch.float64).logit()
    return torch.stack([odds, torch.zeros(4)]).view(1, 2, 1, 4), torch.zeros(1, 1, 4).long()


@pytest.mark.parametrize(('thres', 'min_kept', 'hard'), [
    (0.7, 1, [0.2, 0.5]),  # two lie below, and one would do
    (0.7, 3, [0.2, 0.5, 0.8]),  # three it must be
    (0.1, 1, [0.2]),
    (0.7, 100, [0.2, 0.5, 0.8]),  # of fewer pixels than that, all but the easiest
    (0.95, 100, PROBS)])
def test_the_mean_is_over_hard_pixels(thres, min_kept, hard):
    pred, label = _pixels()
    assert OhemCrossEntropy(thres=thres, min_kept=min_kept)(pred, label).item() \
        == pytest.approx(sum(-math.log(p) for p in hard) / len(hard))


def test_reductions_weights_and_class_weights():
    pred, label = _pixels()
    loss = OhemCrossEntropy(min_kept=1, class_weight=[2.0, 1.0], loss_weight=3.0)
    parts = [0, -6 * math.log(0.2), 0, -6 * math.log(0.5)]
    assert loss(pred, label).item() == pytest.approx(sum(parts) / 2)
    assert loss(pred, label, reduction_override='none').flatten().tolist() == pytest.approx(parts)
    weight = torch.tensor([[[1.0, 1.0, 1.0, 5.0]]])
    assert loss(pred, label, weight=weight, avg_factor=8).item() \
        == pytest.approx((parts[1] + 5 * parts[3]) / 8)


def test_without_a_hard_pixel_there_is_no_loss():
    """A single pixel is not below its own probability; mmsegmentation has nan there."""
    pred, label = torch.tensor([9.0, 0.0]).view(1, 2, 1, 1), torch.zeros(1, 1, 1).long()
    assert OhemCrossEntropy()(pred, label).item() == 0


def test_with_everything_kept_it_is_torchs_cross_entropy():
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    label[0, 0] = 254
    loss = OhemCrossEntropy(ignore_label=254, thres=2.0)
    assert torch.allclose(loss(pred, label), F.cross_entropy(pred, label, ignore_index=254))


def test_one_channel():
    with pytest.raises(ShapeError, match='OHEMPixelSampler'):
        OhemCrossEntropy()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2).long())
