import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.necks import Feature2Pyramid


def _neck(rescales=(4, 2, 1, 0.5)) -> Feature2Pyramid:
    torch.manual_seed(0)
    return Feature2Pyramid(3, rescales, dict(type='BN')).eval()


def test_each_factor_written_out():
    neck = _neck((4, 2, 1, 0.5, 0.25))
    x = torch.rand(1, 3, 8, 4)
    four, two, one, half, quarter = neck([x] * 5)
    first, norm, _, second = neck.upsample_4x
    middle = F.gelu(norm(F.conv_transpose2d(x, first.weight, first.bias, stride=2)))
    assert torch.equal(four, F.conv_transpose2d(middle, second.weight, second.bias, stride=2))
    double = neck.upsample_2x[0]
    # kernel and stride are both 2: pixel (2i + a, 2j + b) is pixel (i, j) times the kernel at a, b
    for a in (0, 1):
        for b in (0, 1):
            wanted = torch.einsum('nchw,cd->ndhw', x, double.weight[:, :, a, b])
            assert torch.allclose(two[..., a::2, b::2], wanted + double.bias[:, None, None])
    assert torch.equal(one, x)
    assert torch.equal(half, x.reshape(1, 3, 4, 2, 2, 2).amax((3, 5)))
    assert torch.equal(quarter, x.reshape(1, 3, 2, 4, 1, 4).amax((3, 5)))


def test_the_factor_at_a_place_is_that_of_the_level_at_this_place():
    x = torch.rand(1, 3, 8, 8)
    outs = _neck((0.5, 1, 4))([x] * 3)
    assert [out.shape[2] for out in outs] == [4, 8, 32]


def test_names_of_published_weights():
    keys = {key for key in _neck().state_dict() if key.endswith('weight')}
    assert keys == {'upsample_4x.0.weight', 'upsample_4x.1.weight', 'upsample_4x.3.weight',
                    'upsample_2x.0.weight'}


def test_another_factor_is_an_error():
    with pytest.raises(ConfigError, match=r'\[8, 1\]'):
        _neck([8, 1])
