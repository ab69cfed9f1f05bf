import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.backbones import OctResNet
from segplug.models.layers.staged import known

SMALL = dict(depth=26, base_channels=4)


@pytest.mark.parametrize(('options', 'channels', 'strides'), [
    (dict(), (16, 32, 64, 128), (4, 8, 16, 32)),
    (dict(out_stem=True, out_indices=()), (4,), (2,)),
    (dict(out_stem=True, out_indices=(3,), output_stride=16), (4, 128), (2, 16)),
    (dict(out_indices=(1, 2), output_stride=8), (32, 64), (8, 8))])
def test_what_is_declared_is_handed_out(options, channels, strides):
    net = OctResNet(**SMALL, **options)
    assert (net.out_channels, net.out_strides) == (channels, strides)
    levels = net(torch.rand(2, 3, 40, 50))
    assert [tuple(x.shape[1:]) for x in levels] == [
        (c, -(-40 // s), -(-50 // s)) for c, s in zip(channels, strides, strict=True)]


def test_other_images_and_norms():
    net = OctResNet(**SMALL, in_channels=5, norm_cfg=dict(type='GN', num_groups=1))
    assert net.conv1.in_channels == 5
    assert type(net.bn1).__name__ == 'GroupNorm'
    net(torch.rand(1, 5, 32, 32))


def test_norm_eval_keeps_the_statistics():
    net = OctResNet(**SMALL, norm_eval=True).train()
    net(torch.rand(2, 3, 32, 32))
    assert net.training
    assert all(v == 0 for k, v in net.named_buffers() if k.endswith('num_batches_tracked'))


@pytest.mark.parametrize('wrong', [dict(out_indices=(0, 4)), dict(frozen_stages=-2)])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        OctResNet(**SMALL, **wrong)
    assert error.value.culprit == next(iter(wrong))


def test_nothing_to_hand_out_is_refused():
    with pytest.raises(ConfigError) as error:
        OctResNet(**SMALL, out_indices=())
    assert error.value.culprit == 'out_indices'


def test_a_near_name_is_suggested():
    with pytest.raises(ConfigError) as error:
        known('X', {'alpha': 1, 'beta': 2}, 'kind', 'alpa')
    assert 'alpha' in error.value.fix
