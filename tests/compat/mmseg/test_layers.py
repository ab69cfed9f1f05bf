"""Layers with their published arguments, against ours."""

import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models import layers as ours
from segplug.models.layers import inverted_residual, up_conv


def test_resize_takes_their_warning(lent):
    from mmseg.models.utils import resize
    x = torch.randn(1, 2, 3, 4)
    assert resize(x, (6, 8), None, 'bilinear', False, warning=False).shape == (1, 2, 6, 8)


def test_upsample_rounds_down(lent):
    from mmseg.models.utils import Upsample
    x = torch.randn(1, 1, 5, 7)
    assert Upsample(scale_factor=1.5)(x).shape == (1, 1, 7, 10)
    assert Upsample(scale_factor=(1.5, 3))(x).shape == (1, 1, 7, 21)
    assert Upsample(size=(2, 3), mode='bilinear', align_corners=True)(x).shape == (1, 1, 2, 3)
    assert isinstance(up_conv._Upsample(scale_factor=2), Upsample)


def test_se_layer_has_ours_as_its_default(lent):
    from mmseg.models.utils import SELayer
    layer, plain = SELayer(16, ratio=2), inverted_residual.SELayer(16, ratio=2)
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(1, 16, 4, 5)
    assert torch.allclose(layer(x), plain(x), atol=1e-6)
    assert isinstance(SELayer(16, act_cfg=dict(type='ReLU')).conv2.activate, nn.ReLU)
    with pytest.raises(ConfigError, match='two activations'):
        SELayer(16, act_cfg=(dict(type='ReLU'),))


def test_inverted_residuals(lent):
    from mmseg.models.utils import InvertedResidual, InvertedResidualV3
    assert InvertedResidual(4, 4, 1, 2).use_res_connect
    assert InvertedResidual(4, 4, 2, 2).stride == 2
    block = InvertedResidualV3(8, 8, 16, se_cfg=dict(
        channels=16, ratio=4, act_cfg=(dict(type='ReLU'), dict(type='Sigmoid'))))
    assert block.with_se
    assert block.with_expand_conv
    assert isinstance(block.se.conv2.activate, nn.Sigmoid)
    assert [name for name, _ in block.named_children()] == [
        'expand_conv', 'depthwise_conv', 'se', 'linear_conv']
    assert block(torch.randn(2, 8, 4, 4)).shape == (2, 8, 4, 4)
    # A backbone of ours is made of ours.
    assert isinstance(inverted_residual.InvertedResidual(4, 4, 1, 2), InvertedResidual)


def test_a_class_that_derives_from_a_stand_in_is_itself_only(lent):
    from mmseg.models.utils import InvertedResidual

    class Mine(InvertedResidual):
        pass

    assert isinstance(Mine(4, 4, 1, 2), InvertedResidual)
    assert not isinstance(inverted_residual.InvertedResidual(4, 4, 1, 2), Mine)


def test_up_conv_block_takes_the_class_of_its_convolutions(lent):
    from mmseg.models.backbones.unet import BasicConvBlock, InterpConv
    from mmseg.models.utils import UpConvBlock
    kinds = dict(in_channels=4, skip_channels=2, out_channels=3)
    block = UpConvBlock(BasicConvBlock, **kinds)
    assert isinstance(block.upsample, InterpConv)
    out = block(torch.randn(2, 2, 8, 6), torch.randn(2, 4, 4, 3))
    assert out.shape == (2, 3, 8, 6)
    block = UpConvBlock(BasicConvBlock, upsample_cfg=None, **kinds)
    assert block(torch.randn(2, 2, 4, 3), torch.randn(2, 4, 4, 3)).shape == (2, 3, 4, 3)
    with pytest.raises(ConfigError, match='dcn'):
        UpConvBlock(BasicConvBlock, dcn=dict(type='DCN'), **kinds)


@pytest.mark.parametrize('name', ['DAPPM', 'PAPPM'])
def test_pyramids_with_the_published_sizes_are_ours(lent, name):
    import mmseg.models.utils as utils
    theirs, plain = getattr(utils, name)(4, 2, 3, 5), getattr(ours, name)(4, 2, 3, 5)
    theirs.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 20, 18)
    assert torch.allclose(theirs.eval()(x), plain.eval()(x), atol=1e-6)
    other = getattr(utils, name)(4, 2, 3, 5, kernel_sizes=[3, 5, 7], strides=[1, 2, 3],
                                 paddings=[1, 2, 3])
    assert [scale[0].kernel_size for scale in other.scales[1:-1]] == [3, 5, 7]
    assert other(x).shape == (2, 3, 20, 18)
    with pytest.raises(ConfigError, match='upsample_mode'):
        getattr(utils, name)(4, 2, 3, 5, upsample_mode='nearest')


def test_uncertain_points_lie_at_the_edge_of_a_mask(lent):
    from mmseg.models.utils import get_uncertain_point_coords_with_randomness
    # A mask whose logits grow from left to right through zero in the middle.
    mask = torch.linspace(-4, 4, 9).expand(1, 1, 9, 9).contiguous()
    points = get_uncertain_point_coords_with_randomness(
        mask, torch.zeros(1, dtype=torch.long), 20, 20, 1.0)
    assert points.shape == (1, 20, 2)
    assert (points[..., 0] - 0.5).abs().max() < 0.1
