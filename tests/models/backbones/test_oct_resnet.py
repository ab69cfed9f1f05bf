import pytest
import torch
import torch.nn.functional as F
from encoders import assert_dilation_keeps_the_pixels, assert_names_and_shapes, assert_numbers

from segplug.errors import ConfigError
from segplug.models.backbones import OctResNet
from segplug.models.backbones.oct_resnet import OctaveConv
from segplug.models.layers.atrous import Step

SMALL = dict(depth=26, base_channels=4, out_stem=True)


@pytest.mark.parametrize('depth', [26, 50, 101, 152, 200])
def test_names_and_shapes_are_d_li14s(depth):
    with torch.device('meta'):
        assert_names_and_shapes(OctResNet(depth), f'oct_resnet{depth}')


def test_numbers_are_d_li14s():
    assert_numbers(OctResNet(26, out_stem=True), 'oct_resnet26')


@pytest.mark.parametrize('size', [(64, 96), (45, 70)])
def test_dilated_equals_plain_at_its_pixels(size):
    """The last stage, which has no coarse half, dilates exactly; the third nearly."""
    plain = OctResNet(**SMALL)
    assert_dilation_keeps_the_pixels(plain, OctResNet(**SMALL, output_stride=16), size)
    assert OctResNet(**SMALL, output_stride=8).out_strides == (2, 4, 8, 8, 8)


def test_an_octave_convolution_by_hand():
    """Of kernel 1 and weights 1: high 1 + 2 per pixel, low the mean of high and its own."""
    conv = OctaveConv(2, 2, 1, True, True, Step(1, 1, 1))
    for weight in conv.parameters():
        weight.data.fill_(1)
    high = torch.tensor([[[[0., 1., 2.], [3., 4., 5.], [6., 7., 8.]]]])
    low = torch.tensor([[[[10., 20.], [30., 40.]]]])
    grown = torch.tensor([[10., 10., 20.], [10., 10., 20.], [30., 30., 40.]])
    # Means of 0 1 3 4, of 2 5, of 6 7 and of 8: what lies outside does not count.
    means = torch.tensor([[2., 3.5], [6.5, 8.]])
    found = conv((high, low))
    assert torch.equal(found[0], high + grown)
    assert torch.equal(found[1], means + low)


def test_a_strided_octave_convolution_averages_first():
    conv = OctaveConv(4, 4, 3, True, True, Step(2, 1, 1))
    high, low = torch.rand(1, 2, 8, 8), torch.rand(1, 2, 4, 4)
    small = F.avg_pool2d(high, 2)
    expected = conv.conv_h2h(small) + conv.conv_l2h(low)
    assert torch.allclose(conv((high, low))[0], expected)
    expected = conv.conv_h2l(F.avg_pool2d(small, 2)) + conv.conv_l2l(F.avg_pool2d(low, 2))
    assert torch.allclose(conv((high, low))[1], expected)


def test_frozen_stages_do_not_learn():
    net = OctResNet(**SMALL, frozen_stages=1).train()
    for name, p in net.named_parameters():
        assert p.requires_grad is not name.startswith(('conv1.', 'bn1.', 'layer1.'))


def test_unknown_depth():
    with pytest.raises(ConfigError) as error:
        OctResNet(18)
    assert error.value.culprit == 'depth'
