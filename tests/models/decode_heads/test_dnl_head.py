import math

import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.decode_heads import DNLHead
from segplug.models.decode_heads.dnl_head import DisentangledNonLocal2d


def _block(**kwargs) -> DisentangledNonLocal2d:
    block = DisentangledNonLocal2d(4, **{**dict(temperature=0.5), **kwargs}).eval()
    for name, weight in block.named_parameters():  # they start at or near zero
        if name.endswith('conv.weight'):
            torch.nn.init.normal_(weight)
    return block


@torch.no_grad()
@pytest.mark.parametrize('options', [dict(), dict(use_scale=False), dict(mode='gaussian'),
                                     dict(mode='dot_product')], ids=str)
def test_block_is_equation_8_of_the_paper(options):
    """Attention softmax_j((q_i - mean q) (k_j - mean k)) + softmax_j(m_j), over values g_j."""
    block, x = _block(**options), torch.randn(1, 4, 2, 3)
    before, mode = x.clone(), options.get('mode')
    q, k, g, m = (part.flatten(2)[0] for part in (
        x if mode == 'gaussian' else block.theta(x), x if mode == 'gaussian' else block.phi(x),
        block.g(x), block.conv_mask(x)))
    q, k = q - q.mean(1, keepdim=True), k - k.mean(1, keepdim=True)
    unary = [math.exp(float(m[0, j])) for j in range(6)]
    y = torch.zeros(2, 6)
    for i in range(6):
        products = [float(q[:, i] @ k[:, j]) for j in range(6)]
        if mode is None:
            scale = 0.5 * (math.sqrt(2) if options.get('use_scale', True) else 1)
            products = [p / scale for p in products]
        pair = products if mode == 'dot_product' else [math.exp(p) for p in products]
        for j in range(6):
            weight = pair[j] / (6 if mode == 'dot_product' else sum(pair))
            y[:, i] += (weight + unary[j] / sum(unary)) * g[:, j]
    assert torch.allclose(block(x), x + block.conv_out(y.view(1, 2, 2, 3)), atol=1e-5)
    assert torch.equal(x, before)


def test_a_map_in_which_all_pixels_look_alike_has_equal_weights():
    """Whitened queries are zero, so pairwise and unary term are both the mean of the values."""
    block, x = _block(), torch.randn(1, 4, 1, 1).expand(1, 4, 3, 3)
    assert torch.allclose(block(x), x + block.conv_out(2 * block.g(x)), atol=1e-6)


def test_published_names():
    head = DNLHead(in_channels=3, channels=4, num_classes=2, norm_cfg=dict(type='BN'))
    assert head.dnl_block.temperature == 0.05
    keys = {key for key in head.state_dict() if key.startswith('dnl_block')}
    assert {'dnl_block.conv_mask.weight', 'dnl_block.g.conv.weight', 'dnl_block.phi.conv.bias',
            'dnl_block.theta.conv.weight', 'dnl_block.conv_out.bn.weight'} <= keys
    with pytest.raises(ConfigError, match="'concatenation'"):
        DNLHead(in_channels=3, channels=4, num_classes=2, mode='concatenation')
