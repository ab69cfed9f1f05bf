import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segplug.errors import ConfigError
from segplug.models.layers.inverted_residual import (
    InvertedResidual,
    InvertedResidualV3,
    SELayer,
    make_divisible,
)


@pytest.mark.parametrize(('value', 'expected'), [
    (32, 32), (35, 32), (36, 40),  # 36 is as far from 32 as from 40: upwards
    (3, 8),  # never below the divisor
    (11.5, 16),  # 8 would be the nearest, but less than 0.9 of 11.5
    (8.8, 8), (9, 16)])  # 8 is 0.909 of 8.8, and 0.889 of 9
def test_channels_are_rounded_to_a_multiple(value, expected):
    assert make_divisible(value, 8) == expected


def test_the_least_and_the_share_can_be_set():
    assert make_divisible(3, 8, min_value=16) == 16
    assert make_divisible(9, 8, min_ratio=0.8) == 8


def test_squeeze_and_excitation_by_hand():
    """Gate = hardsigmoid(W2 relu(W1 mean + b1) + b2), one number per channel."""
    torch.manual_seed(0)
    layer = SELayer(16, ratio=4)
    assert layer.conv1.conv.out_channels == 8  # 4, to a multiple of 8
    x = torch.randn(2, 16, 3, 5)
    expected = torch.empty_like(x)
    first, second = layer.conv1.conv, layer.conv2.conv
    for n in range(2):
        means = torch.stack([x[n, c].sum() / 15 for c in range(16)])
        hidden = (first.weight[:, :, 0, 0] @ means + first.bias).clamp(min=0)
        gate = ((second.weight[:, :, 0, 0] @ hidden + second.bias + 3) / 6).clamp(0, 1)
        for c in range(16):
            expected[n, c] = x[n, c] * gate[c]
    torch.testing.assert_close(layer(x), expected)


def _norm(x, module):
    return F.batch_norm(x, module.running_mean, module.running_var, module.weight, module.bias)


@pytest.mark.parametrize('dilation', [1, 2])
def test_the_block_of_v2_by_hand(dilation):
    torch.manual_seed(0)
    block = InvertedResidual(4, 4, stride=1, expand_ratio=3, dilation=dilation).eval()
    x = torch.randn(1, 4, 6, 7)
    expand, within, narrow = block.conv
    wide = _norm(torch.einsum('oi,nihw->nohw', expand.conv.weight[:, :, 0, 0], x),
                 expand.bn).clamp(0, 6)
    padded = F.pad(wide, [dilation] * 4)
    # Each channel by itself, tap by tap.
    mixed = sum(within.conv.weight[:, 0, i, j].view(1, -1, 1, 1)
                * padded[:, :, i * dilation:i * dilation + 6, j * dilation:j * dilation + 7]
                for i in range(3) for j in range(3))
    mixed = _norm(mixed, within.bn).clamp(0, 6)
    out = _norm(torch.einsum('oi,nihw->nohw', narrow.conv.weight[:, :, 0, 0], mixed), narrow.bn)
    torch.testing.assert_close(block(x), x + out)


def test_the_input_is_added_only_to_its_own_shape():
    assert InvertedResidual(4, 4, 1, 2).use_res_connect
    assert not InvertedResidual(4, 4, 2, 2).use_res_connect
    assert not InvertedResidual(4, 6, 1, 2).use_res_connect
    assert len(InvertedResidual(4, 6, 1, 1).conv) == 2  # no first 1x1


def test_the_block_of_v3_strides_as_tensorflow_does():
    """8 pixels, kernel 3, stride 2: one pixel of padding, at the far end. So output 0 sees 0..2.

    Padding of one at both ends, as PyTorch has it, would let it see 0..1.
    """
    block = InvertedResidualV3(1, 1, 1, stride=2, with_expand_conv=False, norm_cfg=None,
                               act_cfg=None)
    nn.init.ones_(block.depthwise_conv.conv.weight)
    nn.init.ones_(block.linear_conv.conv.weight)
    nn.init.zeros_(block.linear_conv.conv.bias)
    nn.init.zeros_(block.depthwise_conv.conv.bias)
    out = block(2.0 ** torch.arange(8.0).expand(1, 1, 1, 8))
    assert out.flatten().tolist() == [1 + 2 + 4, 4 + 8 + 16, 16 + 32 + 64, 64 + 128]


def test_parts_of_the_block_of_v3():
    block = InvertedResidualV3(8, 8, 16, kernel_size=5, se_cfg=dict(channels=16, ratio=4),
                               dilation=2).eval()
    assert [name for name, _ in block.named_children()] == [
        'expand_conv', 'depthwise_conv', 'se', 'linear_conv']
    x = torch.rand(1, 8, 9, 9)
    out = block.linear_conv(block.se(block.depthwise_conv(block.expand_conv(x))))
    torch.testing.assert_close(block(x), x + out)


@pytest.mark.parametrize('make', [
    lambda: InvertedResidual(4, 4, 1, 2), lambda: InvertedResidualV3(4, 6, 8, stride=2)])
def test_checkpointing_changes_no_number(make):
    torch.manual_seed(0)
    plain = make()
    saving = copy.deepcopy(plain)
    saving.with_cp = True
    x = torch.rand(2, 4, 5, 6)
    results = []
    for block in (plain, saving):
        out = block(x)
        out.square().sum().backward()
        results.append([out, *(p.grad for p in block.parameters()), *block.buffers()])
    for a, b in zip(*results, strict=True):
        assert torch.equal(a, b)


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigError, match='strides by 1 or 2'):
        InvertedResidual(4, 4, 3, 2)
    with pytest.raises(ConfigError, match='strides by 1 or 2'):
        InvertedResidualV3(4, 4, 4, stride=4)
    with pytest.raises(ConfigError, match='mid_channels=8'):
        InvertedResidualV3(4, 4, 8, with_expand_conv=False)
