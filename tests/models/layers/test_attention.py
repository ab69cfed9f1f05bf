import math

import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.layers import SelfAttentionBlock, attend


def _block(**kwargs) -> SelfAttentionBlock:
    return SelfAttentionBlock(**{**dict(
        key_in_channels=3, query_in_channels=4, channels=2, out_channels=5,
        share_key_query=False, query_downsample=None, key_downsample=None,
        key_query_num_convs=1, value_out_num_convs=1, key_query_norm=False,
        value_out_norm=False, matmul_norm=True, with_out=True, conv_cfg=None,
        norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU')), **kwargs}).eval()


@torch.no_grad()
def _by_loop(query, key, value, scale):
    """softmax_s(scale * q . k_s) v_s, pixel by pixel."""
    n, _, height, width = query.shape
    key, value = key.flatten(2), value.flatten(2)
    out = torch.zeros(n, value.shape[1], height, width)
    for i in range(n):
        for y in range(height):
            for x in range(width):
                weights = [math.exp(scale * float(query[i, :, y, x] @ key[i, :, s]))
                           for s in range(key.shape[2])]
                for s, weight in enumerate(weights):
                    out[i, :, y, x] += weight / sum(weights) * value[i, :, s]
    return out


@pytest.mark.parametrize('entries', [(2, 2), (5,)])
def test_attend_is_the_loop(entries):
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 4, 3, 2), torch.randn(2, 4, *entries), \
        torch.randn(2, 6, *entries)
    assert torch.allclose(attend(query, key, value, 0.7), _by_loop(query, key, value, 0.7),
                          atol=1e-6)


def test_attend_by_hand():
    """Products 0 and log 3: weights 1/4 and 3/4 of the values 8 and 4, 2 + 3."""
    query = torch.ones(1, 1, 1, 1)
    key = torch.tensor([0, math.log(3)]).view(1, 1, 1, 2)
    value = torch.tensor([8.0, 4]).view(1, 1, 1, 2)
    assert attend(query, key, value).item() == pytest.approx(5)


@pytest.mark.parametrize('matmul_norm', [True, False])
@pytest.mark.parametrize('with_out', [True, False])
def test_block_is_projections_and_attention(matmul_norm, with_out):
    torch.manual_seed(0)
    block = _block(matmul_norm=matmul_norm, with_out=with_out)
    if with_out:
        nn.init.normal_(block.out_project.weight)
    query, key = torch.randn(2, 4, 2, 3), torch.randn(2, 3, 2, 2)
    wanted = _by_loop(block.query_project(query), block.key_project(key),
                      block.value_project(key), 2 ** -0.5 if matmul_norm else 1)
    if with_out:
        wanted = block.out_project(wanted)
    assert torch.allclose(block(query, key), wanted, atol=1e-6)


def test_keys_and_values_are_downsampled():
    torch.manual_seed(0)
    pool = nn.AvgPool2d(2)
    block, plain = _block(with_out=False, key_downsample=pool), _block(with_out=False)
    plain.load_state_dict(block.state_dict())
    query, key = torch.randn(1, 4, 4, 4), torch.randn(1, 3, 4, 4)
    # averaging and a 1x1 convolution commute
    assert torch.allclose(block(query, key), plain(query, pool(key)), atol=1e-6)


def test_downsampled_queries_give_a_smaller_map():
    block = _block(query_downsample=nn.AvgPool2d(2))
    assert block(torch.randn(1, 4, 4, 6), torch.randn(1, 3, 4, 4)).shape == (1, 5, 2, 3)


def test_published_names():
    keys = set(_block().state_dict())
    assert keys == {f'{name}_project.{kind}' for name in ('key', 'query', 'value', 'out')
                    for kind in ('weight', 'bias')}
    keys = set(_block(key_query_num_convs=2, key_query_norm=True).state_dict())
    assert {'key_project.0.conv.weight', 'key_project.1.bn.running_var',
            'value_project.weight'} <= keys


def test_shared_projection():
    block = _block(share_key_query=True, query_in_channels=3)
    assert block.query_project is block.key_project
    assert 'query_project.weight' in block.state_dict()
    with pytest.raises(ConfigError, match='key_in_channels=3, query_in_channels=4'):
        _block(share_key_query=True)


def test_a_last_convolution_starts_at_zero_a_normalised_one_does_not():
    query, key = torch.randn(1, 4, 2, 2), torch.randn(1, 3, 2, 2)
    assert (_block()(query, key) == 0).all()
    assert (_block(value_out_norm=True).out_project.conv.weight != 0).any()
