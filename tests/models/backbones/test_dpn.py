import pytest
import torch
from encoders import assert_dilation_keeps_the_pixels, assert_names_and_shapes, assert_numbers

from segplug.errors import ConfigError
from segplug.models.backbones import DPN
from segplug.models.backbones.dpn import DualPathBlock
from segplug.models.layers.atrous import Step


@pytest.mark.parametrize('depth', [68, 92, 98, 107, 131])
def test_names_and_shapes_are_timms(depth):
    with torch.device('meta'):
        assert_names_and_shapes(DPN(depth), f'dpn{depth}')


def test_numbers_are_timms():
    assert_numbers(DPN(68, out_stem=True), 'dpn68')


@pytest.mark.parametrize(('output_stride', 'size'), [(8, (45, 70)), (16, (64, 96))])
def test_dilated_equals_plain_at_its_pixels(output_stride, size):
    assert_dilation_keeps_the_pixels(
        DPN(68, out_stem=True), DPN(68, out_stem=True, output_stride=output_stride), size)


def test_what_is_summed_and_what_is_joined():
    """Of 3 summed and 4 joined channels the 3 change, the 4 stay, and 2 come."""
    block = DualPathBlock(7, 3, 2, 4, 2, Step(1, 1, 1), None, dict(type='BN'), False).eval()
    x = torch.rand(1, 7, 4, 5)
    out = block(x)
    new = block.c1x1_c(block.c3x3_b(block.c1x1_a(x)))
    assert torch.equal(out[:, :3], x[:, :3] + new[:, :3])
    assert torch.equal(out[:, 3:7], x[:, 3:])
    assert torch.equal(out[:, 7:], new[:, 3:])


def test_epsilon_of_the_norms():
    """0.001 as published, with whatever norm; what the config says counts more."""
    with torch.device('meta'):
        assert DPN(68, norm_cfg=dict(type='SyncBN')).features.conv3_1.c1x1_a.bn.eps == 0.001
        assert DPN(68, norm_cfg=dict(type='BN', eps=0.1)).features.conv3_1.c1x1_a.bn.eps == 0.1


def test_unknown_depth():
    with pytest.raises(ConfigError) as error:
        DPN(69)
    assert error.value.culprit == 'depth'
