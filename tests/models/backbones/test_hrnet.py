import copy

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.backbones import HRNet
from segplug.models.backbones.hrnet import HRModule
from segplug.models.layers import BasicBlock, Bottleneck

SMALL = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,),
                num_channels=(2,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1),
                num_channels=(3, 4)),
    stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1),
                num_channels=(3, 4, 5)),
    stage4=dict(num_modules=1, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1),
                num_channels=(3, 4, 5, 6)))


@torch.no_grad()
def test_a_module_adds_up_what_all_branches_have():
    """Out r is the sum over x of f_xr(R_x): upsampled 1x1s, itself, strided 3x3s, then ReLU."""
    torch.manual_seed(0)
    module = HRModule(BasicBlock, (1, 1, 1), (3, 4, 5)).eval()
    levels = [torch.randn(1, c, 16 // s, 8 // s) for c, s in ((3, 1), (4, 2), (5, 4))]
    a, b, c = (branch(x) for branch, x in zip(module.branches, levels, strict=True))
    fuse = module.fuse_layers

    def up(x, factor):
        return F.interpolate(x, scale_factor=factor, mode='bilinear')

    def down(x, layer):
        return layer[1](F.conv2d(x, layer[0].weight, stride=2, padding=1))

    expected = (
        a + up(fuse[0][1](b), 2) + up(fuse[0][2](c), 4),
        down(a, fuse[1][0][0]) + b + up(fuse[1][2](c), 2),
        down(down(a, fuse[2][0][0]).relu(), fuse[2][0][1]) + down(b, fuse[2][1][0]) + c)
    for out, want in zip(module(levels), expected, strict=True):
        assert torch.allclose(out, want.relu(), atol=1e-6)


def test_levels_that_come_in_stay_as_they_are():
    module = HRModule(BasicBlock, (1, 1), (3, 4)).eval()
    levels = [torch.randn(1, 3, 8, 8), torch.randn(1, 4, 4, 4)]
    before = copy.deepcopy(levels)
    module(levels)
    assert all(torch.equal(a, b) for a, b in zip(before, levels, strict=True))


def test_the_finest_alone():
    module = HRModule(Bottleneck, (1, 1), (1, 2), multiscale_output=False)
    assert [x.shape for x in module([torch.rand(1, 4, 8, 8), torch.rand(1, 8, 4, 4)])] \
        == [(1, 4, 8, 8)]


def test_w18_has_the_published_levels():
    extra = copy.deepcopy(SMALL)
    for number, channels in ((2, (18, 36)), (3, (18, 36, 72)), (4, (18, 36, 72, 144))):
        extra[f'stage{number}'].update(num_channels=channels, num_blocks=(4,) * len(channels))
    extra['stage1'].update(num_channels=(64,), num_blocks=(4,))
    extra['stage3'].update(num_modules=4)
    extra['stage4'].update(num_modules=3)
    with torch.device('meta'):
        net = HRNet(extra)
        levels = net(torch.empty(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in levels] == [
        (18, 16, 24), (36, 8, 12), (72, 4, 6), (144, 2, 3)]
    assert net.out_channels == (18, 36, 72, 144)
    assert net.out_strides == (4, 8, 16, 32)
    # HRNetV2-W18 without its head; 9.6 M of the 9.7 M of the published FCN over it.
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 1) == 9.6


def test_a_branch_may_change_its_width_between_stages():
    """It goes on from itself; a new one from the coarsest there is."""
    extra = copy.deepcopy(SMALL)
    extra['stage3']['num_channels'] = (4, 6, 8)
    extra['stage4']['num_channels'] = (4, 6, 8, 2)
    net = HRNet(extra)
    assert [layer and layer[0].in_channels for layer in net.transition2[:2]] == [3, 4]
    assert net.transition2[2][0][0].in_channels == 4
    assert all(layer is None for layer in net.transition3[:3])
    assert net.out_channels == (4, 6, 8, 2)
    assert net(torch.rand(2, 3, 32, 32))[3].shape == (2, 2, 1, 1)


def test_frozen_stages_neither_learn_nor_count():
    net = HRNet(SMALL, frozen_stages=2).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    sum(x.square().sum() for x in net(torch.rand(2, 3, 64, 64))).backward()
    frozen = ('conv', 'bn', 'layer1.', 'transition1.', 'stage2.', 'transition2.')
    assert all((p.grad is None) is name.startswith(frozen) for name, p in net.named_parameters())
    moved = {k for k, v in net.state_dict().items() if not torch.equal(v, before[k])}
    assert moved
    assert not any(k.startswith(frozen) for k in moved)


def test_blocks_may_start_as_identity():
    net = HRNet(SMALL, zero_init_residual=True)
    net.init_weights()
    assert (net.stage4[0].branches[3][0].bn2.weight == 0).all()
    assert (net.layer1[0].bn3.weight == 0).all()
    assert (net.layer1[0].bn1.weight == 1).all()


@pytest.mark.parametrize(('stage', 'culprit'), [
    (None, 'stage2'), (dict(num_modules=1), 'stage2'), (dict(SMALL['stage2'], block='B'), 'block'),
    (dict(SMALL['stage2'], num_blocks=(1,)), 'num_blocks'),
    (dict(SMALL['stage2'], num_channels=(1, 2, 3)), 'num_channels')])
def test_wrong_stages_are_named(stage, culprit):
    with pytest.raises(ConfigError) as error:
        HRNet(dict(SMALL, stage2=stage))
    assert error.value.culprit == culprit


def test_stages_that_are_not_there_cannot_freeze():
    with pytest.raises(ConfigError, match='-1 to 4'):
        HRNet(SMALL, frozen_stages=5)
