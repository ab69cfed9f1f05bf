import math

import pytest
import torch

from segplug.models.decode_heads import CCHead
from segplug.models.decode_heads.cc_head import CrissCrossAttention, criss_cross


@pytest.mark.parametrize('size', [(3, 4), (1, 5), (4, 1), (1, 1)])
def test_criss_cross_is_the_loop_over_row_and_column(size):
    height, width = size
    query, key, value = (torch.randn(2, c, *size) for c in (2, 2, 3))
    wanted = torch.zeros_like(value)
    for n in range(2):
        for y in range(height):
            for x in range(width):
                places = {(i, x) for i in range(height)} | {(y, j) for j in range(width)}
                assert len(places) == height + width - 1
                weights = {p: math.exp(float(query[n, :, y, x] @ key[n, :, p[0], p[1]]))
                           for p in places}
                for (i, j), weight in weights.items():
                    wanted[n, :, y, x] += weight / sum(weights.values()) * value[n, :, i, j]
    assert torch.allclose(criss_cross(query, key, value), wanted, atol=1e-6)


@pytest.mark.parametrize('recurrence', [1, 2])
def test_twice_a_pixel_sees_the_whole_map(recurrence):
    attention = CrissCrossAttention(8)
    torch.nn.init.ones_(attention.gamma.scale)
    x = torch.randn(1, 8, 4, 5, requires_grad=True)
    out = x
    for _ in range(recurrence):
        out = attention(out)
    out[0, :, 1, 2].sum().backward()
    seen = x.grad.abs().sum(1)[0] > 0
    cross = torch.zeros(4, 5, dtype=torch.bool)
    cross[1], cross[:, 2] = True, True
    assert torch.equal(seen, cross if recurrence == 1 else torch.ones_like(cross))


def test_attention_starts_as_nothing():
    x = torch.randn(1, 8, 3, 3)
    assert torch.equal(CrissCrossAttention(8)(x), x)


def test_the_head_applies_one_attention_again_and_again():
    head, calls = CCHead(3, in_channels=3, channels=8, num_classes=2).eval(), []
    head.cca.register_forward_hook(lambda *_: calls.append(1))
    assert head([torch.randn(1, 3, 5, 4)]).shape == (1, 2, 5, 4)
    assert len(calls) == 3
    assert {key for key in head.state_dict() if key.startswith('cca')} == {
        'cca.gamma.scale', *(f'cca.{name}_conv.{kind}' for name in ('query', 'key', 'value')
                             for kind in ('weight', 'bias'))}
    assert head.cca.query_conv.out_channels == 1  # an eighth of 8
