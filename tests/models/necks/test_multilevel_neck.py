import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.necks import MultiLevelNeck


def test_each_step_written_out():
    torch.manual_seed(0)
    neck = MultiLevelNeck([3, 4], 2, scales=[2, 0.5], act_cfg=dict(type='ReLU'))
    levels = [torch.rand(1, 3, 5, 4), torch.rand(1, 4, 7, 5)]
    outs = neck(levels)
    assert [tuple(out.shape) for out in outs] == [(1, 2, 10, 8), (1, 2, 3, 2)]
    for i, scale in enumerate((2, 0.5)):
        one, three = neck.lateral_convs[i].conv, neck.convs[i].conv
        x = F.conv2d(levels[i], one.weight, one.bias).relu()
        x = F.interpolate(x, scale_factor=scale, mode='bilinear', align_corners=False)
        assert torch.allclose(
            outs[i], F.conv2d(x, three.weight, three.bias, padding=1).relu(), atol=1e-6)


def test_one_level_becomes_all_outputs():
    neck = MultiLevelNeck([3], 2, scales=[1, 1])
    neck.convs[1].load_state_dict(neck.convs[0].state_dict())
    first, second = neck([torch.rand(1, 3, 4, 4)])
    assert torch.equal(first, second)


def test_the_start_is_xavier_with_zero_bias():
    """Uniform within sqrt(6 / (fan in + fan out)): of the 3x3 below, sqrt(6 / (9 * 40 + 9 * 40))
    = 0.0913."""
    neck = MultiLevelNeck([3], 40, scales=[1])
    neck.init_weights()
    weight, bias = neck.convs[0].conv.weight, neck.convs[0].conv.bias
    assert 0.09 < weight.abs().max() <= (6 / 720) ** 0.5
    assert (bias == 0).all()


def test_levels_and_factors_that_do_not_fit():
    with pytest.raises(ConfigError, match='2 in_channels and 4 scales'):
        MultiLevelNeck([3, 3], 2)
