import math

import pytest
import torch

from segplug.models.layers import Encoding
from segplug.models.layers.encoding import encode


def test_two_codewords_by_hand():
    """One channel, codewords 0 and 2, scales -ln 2 and -ln 2 / 4, pixels 1 and 2.

    Pixel 1: squares 1 and 1, weights 2^-1 : 2^-1/4 = 1 : 2^0.75.
    Pixel 2: squares 4 and 0, weights 2^-4 : 1 = 1 : 16.
    """
    a, b = 1 / (1 + 2 ** 0.75), 1 / 17
    expected = [[[a * 1 + b * 2], [(1 - a) * (1 - 2) + (1 - b) * (2 - 2)]]]
    found = encode(torch.tensor([[[1.], [2.]]]), torch.tensor([[0.], [2.]]),
                   torch.tensor([-math.log(2), -math.log(2) / 4]))
    torch.testing.assert_close(found, torch.tensor(expected))


def _residuals(x, codewords, scale):
    """Equations 1 and 2 of Deep TEN as they stand, with every residual."""
    residuals = x[:, :, None] - codewords
    weights = (scale * residuals.square().sum(3)).softmax(2)
    return (weights[..., None] * residuals).sum(1)


@pytest.mark.parametrize(('dtype', 'rtol'), [(torch.float64, 1e-10), (torch.float32, 1e-3)])
def test_multiplied_out_squares_give_the_residuals(dtype, rtol):
    """With as many channels and as large features as in published models, gradients too."""
    torch.manual_seed(0)
    x = (3 * torch.rand(2, 40, 512, dtype=dtype)).requires_grad_()
    layer = Encoding(512, 32).to(dtype)
    args = (layer.codewords, layer.scale)
    found, expected = encode(x, *args), _residuals(x, *args)
    torch.testing.assert_close(found, expected, rtol=rtol, atol=rtol)
    for a, b in zip(torch.autograd.grad(found.square().mean(), (x, *args)),
                    torch.autograd.grad(expected.square().mean(), (x, *args)), strict=True):
        torch.testing.assert_close(a, b, rtol=rtol, atol=rtol * float(b.detach().abs().max()))


def test_autocast_does_not_shorten_the_squares():
    torch.manual_seed(0)
    layer, x = Encoding(64, 8), torch.rand(1, 64, 4, 4)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = layer(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, layer(x))
    assert layer.bfloat16()(x.bfloat16()).dtype == torch.bfloat16


def test_names_and_range_of_the_parameters():
    layer = Encoding(4, 16)
    assert {k: tuple(v.shape) for k, v in layer.state_dict().items()} == {
        'codewords': (16, 4), 'scale': (16,)}
    assert layer.codewords.abs().max() <= 1 / 8  # 1 / sqrt(16 * 4)
    assert -1 <= layer.scale.min() <= layer.scale.max() <= 0
