"""Residual blocks with their published arguments."""

import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.backbones import ResNet


def test_blocks_of_a_resnet_are_theirs(lent):
    from mmseg.models.backbones.resnet import BasicBlock, Bottleneck
    net = ResNet(18, stem_channels=4, base_channels=4)
    assert isinstance(net.layer1[0], BasicBlock)
    assert not isinstance(net.layer1[0], Bottleneck)
    assert not isinstance(net, BasicBlock)


def test_arguments_that_ours_do_not_take(lent):
    from mmseg.models.backbones.resnet import BasicBlock, Bottleneck
    block = BasicBlock(4, 4, 1, 2, None, 'pytorch', False, None, dict(type='BN'), None, None)
    assert (block.stride, block.dilation, block.norm2_name) == (1, 2, 'bn2')
    assert block(torch.randn(2, 4, 5, 6)).shape == (2, 4, 5, 6)
    assert Bottleneck(16, 4, style='caffe', dcn=None, plugins=None).planes == 4
    with pytest.raises(ConfigError, match='dcn'):
        Bottleneck(16, 4, dcn=dict(type='DCN'))
    with pytest.raises(ConfigError, match="'tensorflow'"):
        Bottleneck(16, 4, style='tensorflow')


def test_they_make_a_stage(lent):
    from mmseg.models.backbones.resnet import Bottleneck
    from mmseg.models.utils import ResLayer
    stage = ResLayer(block=Bottleneck, inplanes=4, planes=2, num_blocks=2, stride=2, dcn=None,
                     plugins=None, init_cfg=None)
    assert stage(torch.randn(2, 4, 6, 6)).shape == (2, 8, 3, 3)
