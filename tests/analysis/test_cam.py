"""Heat by hand on two channels of 1 x 2 cells, and identities of linear networks."""

import pytest
import torch
from torch import nn

from segplug.analysis.cam import METHODS, heat, score
from segplug.errors import ConfigError, ShapeError

A = torch.tensor([[[1.0, 3.0]], [[2.0, 1.0]]])
G = torch.tensor([[[2.0, 0.0]], [[-2.0, 1.0]]])


@pytest.mark.parametrize(('method', 'expected'), [
    # Means of the gradients: 1 and -1/2; so 1 - 2/2 = 0, and 3 - 1/2.
    ('gradcam', [0.0, 2.5]),
    # Channel 1, where a sums to 4: g = 2 has alpha 4 / (2 * 4 + 4 * 8) = 1/10, so the weight is
    # 2/10. Channel 2, where a sums to 3: g = -2 counts for nothing after its relu, g = 1 has
    # 1 / (2 + 3) = 1/5. So 2/10 + 2/5, and 6/10 + 1/5.
    ('gradcam++', [0.6, 0.8]),
    # Weights 2 * 1 / 4 = 1/2 and (-2 * 2 + 1) / 3 = -1: 1/2 - 2 < 0, and 3/2 - 1.
    ('xgradcam', [0.0, 0.5]),
    # Cell by cell: 2 - 4 < 0, and 0 + 1.
    ('hirescam', [0.0, 1.0]),
    # Without negative gradients: 2 + 0, and 0 + 1.
    ('layercam', [2.0, 1.0])])
def test_heat_by_hand(method, expected):
    assert heat(A, G, method)[0].tolist() == pytest.approx(expected)


def test_every_method_is_tried():
    assert set(METHODS) == {'gradcam', 'gradcam++', 'xgradcam', 'hirescam', 'layercam'}


@pytest.mark.parametrize('method', METHODS)
def test_nothing_gives_no_heat_and_no_nan(method):
    zeros = torch.zeros(3, 2, 2)
    for a, g in ((zeros, zeros), (A.expand(2, 2, 2), zeros[:2]), (zeros, zeros + 1)):
        assert heat(a, g, method).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_of_a_linear_layer_hirescam_is_the_logit_itself():
    """Of a 1x1 convolution w: the gradient of the sum of class k over pixels m is w_k where m is,
    so heat is relu(w_k a) there: the logit without its bias. For a single pixel the mean of the
    gradients is w_k / 4, so Grad-CAM is a quarter of the logits everywhere."""
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 3, 1, bias=False)
    a = torch.rand(1, 5, 2, 2, requires_grad=True)
    logits = conv(a)[0]
    where = torch.tensor([[True, False], [True, False]])
    g, = torch.autograd.grad(score(logits, 2, where), a, retain_graph=True)
    torch.testing.assert_close(heat(a[0], g[0], 'hirescam').float(), logits[2].relu() * where)
    one = torch.tensor([[False, False], [True, False]])
    g, = torch.autograd.grad(score(logits, 2, one), a)
    torch.testing.assert_close(heat(a[0], g[0]).float(), logits[2].relu() / 4)


def test_the_score_of_a_binary_model():
    logits = torch.tensor([[[1.5, -2.0]]])
    everywhere = torch.ones(1, 2, dtype=torch.bool)
    assert score(logits, 1, everywhere) == -0.5
    assert score(logits, 0, everywhere) == 0.5
    assert score(torch.stack([logits[0], 3 * logits[0]]), 1, everywhere) == -1.5


def test_mistakes():
    with pytest.raises(ConfigError, match="'gradcm'.*did you mean 'gradcam'"):
        heat(A, G, 'gradcm')
    with pytest.raises(ShapeError, match=r'\(2, 1, 2\) and \(1, 2\)'):
        heat(A, G[0])
