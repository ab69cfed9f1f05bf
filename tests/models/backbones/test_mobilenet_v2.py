import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.backbones import MobileNetV2

DILATED = dict(strides=(1, 2, 2, 1, 1, 1, 1), dilations=(1, 1, 1, 2, 2, 4, 4))


def test_number_of_parameters():
    """3,504,872 as published, less the last 1x1 with its norm and the classifier."""
    with torch.device('meta'):
        net = MobileNetV2()
    assert sum(p.numel() for p in net.parameters()) \
        == 3_504_872 - (320 * 1280 + 2 * 1280) - (1280 * 1000 + 1000)


def test_output_stride_8():
    with torch.device('meta'):
        net = MobileNetV2(**DILATED)
        levels = net(torch.empty(1, 3, 64, 96))
    assert (net.out_channels, net.out_strides) == ((24, 32, 96, 320), (4, 8, 8, 8))
    assert [tuple(x.shape[2:]) for x in levels] == [(16, 24), (8, 12), (8, 12), (8, 12)]
    # The first block of a layer alone is dilated.
    reach = [[block.conv[-2].conv.dilation[0] for block in getattr(net, f'layer{i}')]
             for i in (4, 6, 7)]
    assert reach == [[2, 1, 1, 1], [4, 1, 1], [4]]


def test_widths_follow_the_factor():
    """Half of 16, 24, 32, 64, 96, 160 and 320, to multiples of 8; 12 goes up to 16."""
    with torch.device('meta'):
        net = MobileNetV2(0.5, out_indices=range(7))
    assert net.out_channels == (8, 16, 16, 32, 48, 80, 160)
    assert net.conv1.conv.out_channels == 16


def test_one_level_is_a_tuple_of_one():
    with torch.device('meta'):
        levels = MobileNetV2(0.125, out_indices=(6,))(torch.empty(2, 3, 32, 32))
    assert isinstance(levels, tuple)
    assert [x.shape for x in levels] == [(2, 40, 1, 1)]


@pytest.mark.parametrize('stages', [-1, 0, 2, 7])
def test_frozen_stages_neither_learn_nor_count(stages):
    net = MobileNetV2(0.125, frozen_stages=stages).train()
    frozen = ('conv1.', *(f'layer{i}.' for i in range(1, stages + 1)))[:stages + 1]
    net(torch.rand(2, 3, 32, 32))
    for name, p in net.named_parameters():
        assert p.requires_grad is not name.startswith(frozen)
    for name, count in net.named_buffers():
        if name.endswith('num_batches_tracked'):
            assert count == (0 if name.startswith(frozen) else 1)


@pytest.mark.parametrize('wrong', [
    dict(strides=(1, 2)), dict(dilations=(1,)), dict(out_indices=(7,)), dict(frozen_stages=8)])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        MobileNetV2(**wrong)
    assert error.value.culprit == next(iter(wrong))
