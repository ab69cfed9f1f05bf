import copy

import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.layers.up_conv import BasicConvBlock, DeconvModule, InterpConv, UpConvBlock
from segplug.registry import MODELS


def test_the_first_convolution_strides_and_the_others_are_dilated():
    block = BasicConvBlock(3, 4, num_convs=3, stride=2, dilation=5)
    assert [c.conv.stride[0] for c in block.convs] == [2, 1, 1]
    assert [c.conv.dilation[0] for c in block.convs] == [1, 5, 5]
    assert [c.conv.in_channels for c in block.convs] == [3, 4, 4]
    assert block(torch.rand(2, 3, 7, 8)).shape == (2, 4, 4, 4)


def test_a_deconvolution_places_its_kernel_at_every_second_pixel():
    """Kernel (1, 2, 3, 4), stride 2, one pixel cut from each end of 6: a b -> 2a 3a+b 4a+2b 3b."""
    deconv = DeconvModule(1, 1).deconv_upsamping[0]
    with torch.no_grad():
        deconv.bias.zero_()
        deconv.weight.zero_()
        deconv.weight[0, 0, 1] = torch.tensor([1.0, 2, 3, 4])  # the row that meets pixel row 0
        out = deconv(torch.tensor([[[[10.0, 1]]]]))
    assert out[0, 0, 0].tolist() == [20, 31, 42, 3]


@pytest.mark.parametrize(('kernel_size', 'scale_factor'), [(1, 2), (3, 2), (4, 3)])
def test_a_kernel_that_does_not_scale_exactly_is_refused(kernel_size, scale_factor):
    with pytest.raises(ConfigError, match=f'kernel_size={kernel_size}'):
        DeconvModule(2, 2, kernel_size=kernel_size, scale_factor=scale_factor)


@pytest.mark.parametrize('kernel_size', [2, 4, 6])
def test_a_deconvolution_doubles(kernel_size):
    assert DeconvModule(2, 3, kernel_size=kernel_size)(torch.rand(2, 2, 3, 5)).shape \
        == (2, 3, 6, 10)


def test_interpolation_comes_before_the_convolution_unless_asked_for():
    """Bilinear, half-pixel centres: 0 4 -> 0 1 3 4."""
    for conv_first in (False, True):
        up = InterpConv(1, 1, norm_cfg=None, act_cfg=None, conv_first=conv_first)
        conv = up.interp_upsample[0 if conv_first else 1].conv
        nn.init.constant_(conv.weight, 2.0)
        nn.init.constant_(conv.bias, 0.0)
        out = up(torch.tensor([[[[0.0, 4]]]]))
        assert out[0, 0, 0].tolist() == [0, 2, 6, 8]
        assert out.shape == (1, 1, 2, 4)


def test_a_fixed_size_and_a_broken_factor():
    up = InterpConv(1, 1, upsample_cfg=dict(size=(5, 7)))
    assert up(torch.rand(2, 1, 2, 2)).shape == (2, 1, 5, 7)
    up = InterpConv(1, 1, upsample_cfg=dict(scale_factor=1.5))
    assert up(torch.rand(2, 1, 3, 4)).shape == (2, 1, 4, 6)  # 4.5 is rounded down


@pytest.mark.parametrize('kind', ['InterpConv', 'DeconvModule'])
def test_an_odd_skip_cuts_the_grown_level(kind):
    block = UpConvBlock(4, 2, 3, upsample_cfg=dict(type=kind)).eval()
    skip, coarse = torch.rand(1, 2, 5, 7), torch.rand(1, 4, 3, 4)
    grown = block.upsample(coarse)
    assert grown.shape == (1, 2, 6, 8)
    expected = block.conv_block(torch.cat([skip, grown[:, :, :5, :7]], dim=1))
    assert torch.equal(block(skip, coarse), expected)


def test_levels_of_one_size_need_no_growing():
    block = UpConvBlock(4, 2, 3, upsample_cfg=None)
    assert block(torch.rand(2, 2, 5, 7), torch.rand(2, 4, 5, 7)).shape == (2, 3, 5, 7)
    assert block.upsample.conv.kernel_size == (1, 1)


@pytest.mark.parametrize('make', [
    lambda: BasicConvBlock(2, 2), lambda: DeconvModule(2, 2), lambda: InterpConv(2, 2)])
def test_checkpointing_changes_no_number(make):
    torch.manual_seed(0)
    plain = make()
    saving = copy.deepcopy(plain)
    saving.with_cp = True
    x = torch.rand(2, 2, 5, 6)
    results = []
    for block in (plain, saving):
        out = block(x)
        out.square().sum().backward()
        results.append([out, *(p.grad for p in block.parameters()), *block.buffers()])
    for a, b in zip(*results, strict=True):
        assert torch.equal(a, b)


def test_the_ways_to_grow_are_found_by_name():
    assert MODELS.get('InterpConv') is InterpConv
    assert MODELS.get('DeconvModule') is DeconvModule
