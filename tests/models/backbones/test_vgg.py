import pytest
import torch
from encoders import assert_dilation_keeps_the_pixels, assert_names_and_shapes, assert_numbers

from segplug.errors import ConfigError
from segplug.models.backbones import VGG

SMALL = dict(depth=11, base_channels=4, out_stem=True)


@pytest.mark.parametrize('norm', ['', '_bn'])
@pytest.mark.parametrize('depth', [11, 13, 16, 19])
def test_names_and_shapes_are_torchvisions(depth, norm):
    with torch.device('meta'):
        net = VGG(depth, norm_cfg=dict(type='BN') if norm else None)
    assert_names_and_shapes(net, f'vgg{depth}{norm}')


@pytest.mark.parametrize(('depth', 'norm'), [(11, ''), (16, '_bn')])
def test_numbers_are_torchvisions(depth, norm):
    net = VGG(depth, norm_cfg=dict(type='BN') if norm else None, out_stem=True)
    assert_numbers(net, f'vgg{depth}{norm}')


@pytest.mark.parametrize('output_stride', [8, 16])
@pytest.mark.parametrize('size', [(64, 96), (45, 70)])
def test_dilated_equals_plain_at_its_pixels(output_stride, size):
    small = dict(SMALL, norm_cfg=dict(type='BN'))
    assert_dilation_keeps_the_pixels(VGG(**small), VGG(**small, output_stride=output_stride), size)


def test_levels():
    """1/2 to 1/16 before a pooling, 1/32 after the last: the image's own size is in no level."""
    with torch.device('meta'):
        net = VGG(16, out_stem=True)
        dilated = VGG(16, out_stem=True, output_stride=8)
    assert (net.out_channels, net.out_strides) == ((128, 256, 512, 512, 512), (2, 4, 8, 16, 32))
    assert dilated.out_strides == (2, 4, 8, 8, 8)
    assert [m.dilation[0] for m in dilated.features if isinstance(m, torch.nn.Conv2d)] \
        == [1] * 10 + [2] * 3


def test_checkpointing_changes_no_gradient():
    small = dict(SMALL, norm_cfg=dict(type='BN'))
    net, saving = VGG(**small), VGG(**small, with_cp=True)
    saving.load_state_dict(net.state_dict())
    x = torch.rand(2, 3, 33, 40)
    for each in (net, saving):
        each(x)[-1].square().sum().backward()
    for a, b in zip(net.parameters(), saving.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-6)
    for a, b in zip(net.buffers(), saving.buffers(), strict=True):
        assert torch.equal(a, b)


def test_frozen_stages_do_not_learn():
    """The stem is the first two blocks: in a VGG11 without norms, layers 0 and 3."""
    net = VGG(**SMALL, frozen_stages=0).train()
    assert [name for name, p in net.named_parameters() if not p.requires_grad] \
        == ['features.0.weight', 'features.0.bias', 'features.3.weight', 'features.3.bias']


def test_unknown_depth():
    with pytest.raises(ConfigError) as error:
        VGG(12)
    assert error.value.culprit == 'depth'
