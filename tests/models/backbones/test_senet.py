import pytest
import torch
from encoders import (
    assert_dilation_keeps_the_pixels,
    assert_names_and_shapes,
    assert_numbers,
    close_gates,
)

from segplug.errors import ConfigError
from segplug.models.backbones import SENet
from segplug.models.backbones.senet import SEModule

SMALL = {'se_resnet50': dict(base_channels=8, reduction=4), 'se_resnext50_32x4d':
         dict(base_channels=16), 'senet154': dict(base_channels=32)}


@pytest.mark.parametrize('arch', ['senet154', 'se_resnet50', 'se_resnet101', 'se_resnet152',
                                  'se_resnext50_32x4d', 'se_resnext101_32x4d'])
def test_names_and_shapes_are_as_published(arch):
    with torch.device('meta'):
        assert_names_and_shapes(SENet(arch), arch)


@pytest.mark.parametrize('arch', ['se_resnet50', 'se_resnext50_32x4d', pytest.param(
    'senet154', marks=pytest.mark.slow)])
def test_numbers_are_timms(arch):
    assert_numbers(SENet(arch, out_stem=True), arch)


@pytest.mark.parametrize(('arch', 'output_stride', 'size'), [
    ('se_resnet50', 8, (45, 70)), ('se_resnet50', 16, (64, 96)), ('senet154', 8, (33, 40)),
    ('se_resnext50_32x4d', 8, (45, 70)), ('se_resnext50_32x4d', 16, (64, 96))])
def test_dilated_equals_plain_at_its_pixels_but_for_the_gates(arch, output_stride, size):
    nets = [SENet(arch, out_stem=True, output_stride=stride, **SMALL[arch])
            for stride in (32, output_stride)]
    for net in nets:
        close_gates(net)
    assert_dilation_keeps_the_pixels(*nets, size)


def test_a_gate_by_hand():
    """Means 1 and 3; hidden relu(1 * 1 + 0.5 * 3 - 2) = 0.5; sigmoid(2 * 0.5) and sigmoid(0)."""
    gate = SEModule(2, reduction=2)
    for layer, weight, bias in ((gate.fc1, [[1, 0.5]], [-2.]), (gate.fc2, [[2.], [0.]], [0., 0.])):
        layer.weight.data = torch.tensor(weight)[..., None, None]
        layer.bias.data = torch.tensor(bias)
    x = torch.tensor([[[[0., 2.]], [[3., 3.]]]])
    expected = x * torch.tensor([0.7310586, 0.5])[:, None, None]  # 1 / (1 + exp(-1))
    assert torch.allclose(gate(x), expected)


def test_where_blocks_stride_and_dilate():
    """An SE-ResNet strides in the first 1x1, so its 3x3 is after the stride; the others in it."""
    with torch.device('meta'):
        caffe = SENet('se_resnet50', output_stride=16)
        other = SENet('se_resnext50_32x4d', output_stride=16)
    assert [caffe.layer2[0].conv1.stride, caffe.layer2[0].conv2.stride] == [(2, 2), (1, 1)]
    assert [other.layer2[0].conv1.stride, other.layer2[0].conv2.stride] == [(1, 1), (2, 2)]
    assert [block.conv2.dilation[0] for block in caffe.layer4] == [2, 2, 2]
    assert [block.conv2.dilation[0] for block in other.layer4] == [1, 2, 2]


def test_unknown_arch():
    with pytest.raises(ConfigError) as error:
        SENet('se_resnet51')
    assert error.value.culprit == 'arch'
    assert 'se_resnet50' in error.value.fix
