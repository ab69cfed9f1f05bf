import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.backbones import MobileNetV3

SIZES = {'small': (576, 1024, 2_542_856), 'large': (960, 1280, 5_483_032)}


@pytest.mark.parametrize('arch', SIZES)
def test_number_of_parameters(arch):
    """As published by torchvision, less the two linear layers of the classifier."""
    width, hidden, published = SIZES[arch]
    with torch.device('meta'):
        net = MobileNetV3(arch)
    classifier = width * hidden + hidden + hidden * 1000 + 1000
    assert sum(p.numel() for p in net.parameters()) == published - classifier


@pytest.mark.parametrize(('arch', 'last', 'doubled', 'fourfold'), [
    ('small', 12, range(4, 9), range(9, 12)), ('large', 16, range(7, 13), range(13, 16))])
def test_output_stride_8_by_dilation(arch, last, doubled, fourfold):
    with torch.device('meta'):
        net = MobileNetV3(arch, out_indices=range(last + 1))
        levels = net(torch.empty(1, 3, 64, 96))
    assert len(levels) == last + 1
    assert levels[-1].shape == (1, SIZES[arch][0], 8, 12)
    assert net.out_strides[-1] == max(net.out_strides) == 8
    for i in range(1, last):
        dilation = 2 if i in doubled else 4 if i in fourfold else 1
        assert getattr(net, f'layer{i}').depthwise_conv.conv.dilation == (dilation, dilation), i


def test_levels_of_the_published_models():
    with torch.device('meta'):
        small, large = MobileNetV3(), MobileNetV3('large', out_indices=(1, 3, 16))
    assert (small.out_channels, small.out_strides) == ((16, 16, 576), (2, 4, 8))
    assert (large.out_channels, large.out_strides) == ((16, 24, 960), (2, 4, 8))


def test_reduction_is_for_the_blocks_dilated_by_4():
    with torch.device('meta'):
        plain, half = (MobileNetV3(out_indices=range(13), reduction_factor=f) for f in (1, 2))
    assert plain.out_channels[9:] == (96, 96, 96, 576)
    assert half.out_channels == (*plain.out_channels[:9], 48, 48, 48, 576)
    assert half.layer10.depthwise_conv.conv.out_channels == 576 // 2


def test_frozen_stages_neither_learn_nor_count():
    net = MobileNetV3(frozen_stages=2).train()
    net(torch.rand(2, 3, 32, 32))
    frozen = ('layer0.', 'layer1.', 'layer2.')
    for name, p in net.named_parameters():
        assert p.requires_grad is not name.startswith(frozen)
    for name, count in net.named_buffers():
        if name.endswith('num_batches_tracked'):
            assert count == (0 if name.startswith(frozen) else 1)


@pytest.mark.parametrize('wrong', [
    dict(arch='tiny'), dict(out_indices=(13,)), dict(frozen_stages=13),
    dict(reduction_factor=0)])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        MobileNetV3(**wrong)
    assert error.value.culprit == next(iter(wrong))
