import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn

from segplug.models.layers import JoinedConv


def _pair(**cfgs) -> tuple[JoinedConv, ConvModule]:
    """Ours and mmcv's with the same weights; statistics of the norm as after some training."""
    torch.manual_seed(0)
    ours, theirs = JoinedConv(5, 4, False, **cfgs), ConvModule(5, 4, 3, padding=1, **cfgs)
    for norm in ours.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


def _maps() -> tuple[list[torch.Tensor], torch.Tensor]:
    maps = [torch.rand(2, 3, 8, 6), torch.rand(2, 2, 2, 2)]
    return maps, torch.cat([maps[0], F.interpolate(maps[1], (8, 6), mode='bilinear')], 1)


@pytest.mark.parametrize('cfgs', [
    dict(), dict(norm_cfg=dict(type='BN')), dict(norm_cfg=dict(type='GN', num_groups=2)),
    dict(act_cfg=None), dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='LeakyReLU')),
    dict(conv_cfg=dict(type='Conv2d')), dict(conv_cfg=dict(type='ConvWS'))], ids=str)
@pytest.mark.parametrize('training', [False, True])
def test_it_is_mmcvs_module_on_the_joined_maps(cfgs, training):
    ours, theirs = _pair(**cfgs)
    maps, joined = _maps()
    wanted = theirs.train(training)(joined)
    assert torch.allclose(ours.train(training)(maps), wanted, atol=1e-5)
    for name, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], value, atol=1e-5)


def test_one_tensor_is_already_joined():
    ours, theirs = _pair()
    _, joined = _maps()
    assert torch.equal(ours(joined), theirs(joined))


@pytest.mark.parametrize('hook', ['register_forward_hook', 'register_forward_pre_hook'])
def test_a_hook_sees_the_joined_maps(hook):
    ours, _ = _pair()
    maps, joined = _maps()
    seen = []
    getattr(ours.conv, hook)(lambda module, x, *out: seen.append(x[0]))
    ours(maps)
    assert torch.allclose(seen[0], joined)
