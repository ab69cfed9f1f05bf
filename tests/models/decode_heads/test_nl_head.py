import math

import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.decode_heads import NLHead


def _head(**kwargs) -> NLHead:
    head = NLHead(**{**dict(in_channels=3, channels=4, num_classes=2, dropout_ratio=0), **kwargs})
    for name, weight in head.nl_block.named_parameters():  # they start at or near zero
        if name.endswith('conv.weight'):
            torch.nn.init.normal_(weight)
    return head.eval()


@torch.no_grad()
@pytest.mark.parametrize(('mode', 'use_scale'), [('embedded_gaussian', True),
                                                 ('embedded_gaussian', False),
                                                 ('gaussian', True), ('dot_product', True)])
def test_block_is_equation_1_of_the_paper(mode, use_scale):
    """z_i = W y_i + x_i, y_i = sum_j f(x_i, x_j) g(x_j) / sum_j f; or / (H W) for products."""
    block = _head(mode=mode, use_scale=use_scale).nl_block
    x = torch.randn(1, 4, 2, 3)
    same = mode == 'gaussian'
    theta, phi, g = ((x if same else block.theta(x)).flatten(2)[0],
                     (x if same else block.phi(x)).flatten(2)[0], block.g(x).flatten(2)[0])
    y = torch.zeros(2, 6)
    for i in range(6):
        products = [float(theta[:, i] @ phi[:, j]) for j in range(6)]
        if mode == 'embedded_gaussian' and use_scale:
            products = [p / math.sqrt(2) for p in products]
        f = products if mode == 'dot_product' else [math.exp(p) for p in products]
        for j in range(6):
            y[:, i] += f[j] * g[:, j] / (6 if mode == 'dot_product' else sum(f))
    assert torch.allclose(block(x), x + block.conv_out(y.view(1, 2, 2, 3)), atol=1e-5)


def test_block_stands_between_the_two_convolutions():
    head, seen = _head(), []
    chain = [head.convs[0], head.nl_block, head.convs[1], head.conv_cat]
    for module in chain:
        module.register_forward_hook(lambda *call: seen.append(call))
    x = torch.randn(1, 3, 4, 5)
    head([x])
    assert [call[0] for call in seen] == chain
    assert seen[1][1][0] is seen[0][2]
    assert seen[2][1][0] is seen[1][2]
    assert torch.equal(seen[3][1][0], torch.cat([x, seen[2][2]], dim=1))


def test_published_names():
    keys = set(_head(norm_cfg=dict(type='BN')).state_dict())
    assert {'convs.0.conv.weight', 'convs.1.bn.weight', 'nl_block.g.conv.bias',
            'nl_block.theta.conv.weight', 'nl_block.phi.conv.bias',
            'nl_block.conv_out.conv.weight', 'nl_block.conv_out.bn.running_mean',
            'conv_cat.conv.weight', 'conv_seg.weight'} <= keys
    assert not any('concat_project' in key for key in keys)


def test_modes_that_cannot_be_trained():
    with pytest.raises(ConfigError, match="'concatenation'"):
        _head(mode='concatenation')
    with pytest.raises(TypeError, match='num_convs'):
        _head(num_convs=3)
