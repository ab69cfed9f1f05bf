import pytest
import torch
from torch import nn

from segplug.models.layers import BasicBlock, Bottleneck, ResLayer


def _filled(layer: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for p in layer.parameters():
        nn.init.uniform_(p, -0.5, 0.5, generator=generator)
    return layer


def _dilations(layer: ResLayer, conv: str = 'conv2') -> list[int]:
    return [getattr(block, conv).dilation[0] for block in layer]


def test_dilation_of_each_block():
    assert _dilations(ResLayer(Bottleneck, 8, 4, 3, dilation=4)) == [4, 4, 4]
    assert _dilations(ResLayer(Bottleneck, 8, 4, 3, dilation=4, contract_dilation=True)) \
        == [2, 4, 4]
    assert _dilations(ResLayer(Bottleneck, 8, 4, 3, dilation=1, contract_dilation=True)) \
        == [1, 1, 1]
    # multi_grid wins over both.
    assert _dilations(ResLayer(Bottleneck, 8, 4, 3, dilation=4, contract_dilation=True,
                               multi_grid=(1, 2, 4))) == [1, 2, 4]
    assert _dilations(ResLayer(BasicBlock, 4, 4, 2, dilation=2), 'conv1') == [2, 2]
    assert _dilations(ResLayer(BasicBlock, 4, 4, 2, dilation=2), 'conv2') == [1, 1]


@pytest.mark.parametrize(('block', 'dilation', 'reach'), [
    (BasicBlock, 1, 2), (BasicBlock, 3, 4), (Bottleneck, 1, 1), (Bottleneck, 4, 4)])
def test_reach_of_one_block(block, dilation, reach):
    """A 3x3 of dilation d reaches d pixels. BasicBlock has d then 1, Bottleneck d alone."""
    layer = _filled(ResLayer(block, 8, 8 // block.expansion, 1, dilation=dilation)).eval()
    x = torch.rand(1, 8, 1, 21, requires_grad=True)
    layer[0].relu = nn.Identity()  # a dead unit would hide a connection
    layer(x)[0, :, 0, 10].sum().backward()
    touched = x.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    assert (int(touched.min()), int(touched.max())) == (10 - reach, 10 + reach)


def test_style_says_where_a_bottleneck_strides():
    for style, strides in (('pytorch', (1, 2)), ('caffe', (2, 1))):
        block = ResLayer(Bottleneck, 8, 4, 1, stride=2, style=style)[0]
        assert (block.conv1.stride[0], block.conv2.stride[0]) == strides


def test_averaging_shortcut_counts_no_padding():
    """5 pixels by 2, ceil: means of (0,1), (2,3) and (4) alone."""
    pool, conv, _ = ResLayer(BasicBlock, 4, 4, 1, stride=2, avg_down=True)[0].downsample
    x = torch.arange(5.0).expand(1, 1, 1, 5)
    assert pool(x).flatten().tolist() == [0.5, 2.5, 4.0]
    assert conv.stride == (1, 1)
