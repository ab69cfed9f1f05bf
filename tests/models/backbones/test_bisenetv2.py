from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule

from segplug.errors import ConfigError
from segplug.models.backbones import BiSeNetV2
from segplug.models.backbones.bisenetv2 import _Aggregation, _GatherExpand

BN, RELU = dict(type='BN'), dict(type='ReLU')
CONV = partial(ConvModule, norm_cfg=BN, act_cfg=RELU)


def test_gather_and_expansion_starts_from_the_shortcut():
    """With the projection's norm at zero only the shortcut and the last activation are left."""
    layer = _GatherExpand(4, 4, 6, 1, CONV, BN, RELU).eval()
    torch.nn.init.zeros_(layer.conv2[0].bn.weight)
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(layer(x), x.relu())
    halved = _GatherExpand(4, 6, 6, 2, CONV, BN, RELU).eval()
    torch.nn.init.zeros_(halved.conv2[0].bn.weight)
    assert torch.equal(halved(x), halved.shortcut(x).relu())
    assert halved(x).shape == (1, 6, 3, 3)


@pytest.mark.parametrize('align_corners', [False, True])
def test_guided_aggregation_is_the_formula(align_corners):
    """Figure 6: conv(D1 * s(up S1) + up(D2 * s(S2))); the sizes are not multiples."""
    bga = _Aggregation(3, align_corners, CONV, BN).eval()
    detail, semantic = torch.randn(1, 3, 9, 11), torch.randn(1, 3, 3, 3)
    up = partial(F.interpolate, size=(9, 11), mode='bilinear', align_corners=align_corners)
    with torch.no_grad():
        d1, d2 = bga.detail_dwconv(detail), bga.detail_down(detail)
        s1, s2 = bga.semantic_conv(semantic), bga.semantic_dwconv(semantic)
        expected = bga.conv(d1 / (1 + (-up(s1)).exp()) + up(d2 / (1 + (-s2).exp())))
        assert torch.allclose(bga(detail, semantic), expected, atol=1e-6)


def test_the_default_is_table_1_of_the_paper():
    net = BiSeNetV2()
    assert net.out_channels == (128, 16, 32, 64, 128)
    assert net.out_strides == (8, 4, 8, 16, 32)
    assert [len(getattr(net.semantic, f'stage{i}')) for i in (2, 3, 4)] == [2, 2, 4]
    assert [len(stage) for stage in net.detail.detail_branch] == [2, 3, 3]
    # Expansion by 6, by a depthwise convolution.
    assert net.semantic.stage4[1].dwconv[0].conv.weight.shape == (768, 1, 3, 3)
    assert 'semantic.stage4_CEBlock.gap.1.weight' in net.state_dict()


@pytest.mark.parametrize('options', [
    dict(bga_channels=64), dict(detail_channels=(64, 128)), dict(out_indices=(5,))])
def test_arguments_that_do_not_fit(options):
    with pytest.raises(ConfigError, match='BiSeNetV2'):
        BiSeNetV2(**options)
