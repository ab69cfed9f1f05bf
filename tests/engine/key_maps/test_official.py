"""The authors' weights give here what they give there."""

import pytest
import torch
from key_maps.official_nets import STDC, DDRNet, PIDNet, up
from key_maps.torchvision_nets import close, shaken
from torch import nn

from segplug.engine.key_maps import official
from segplug.engine.loading import TEST_FLOOR, load_state_dict
from segplug.registry import MODELS

CE = dict(type='CrossEntropyLoss')
BN = dict(type='BN')


def segmentor(backbone: dict, head: dict):
    return MODELS.build(dict(type='EncoderDecoder', test_cfg=dict(mode='whole'), backbone=backbone,
                             decode_head={**dict(in_channels=32, channels=16, num_classes=5,
                                                 norm_cfg=BN), **head}))


@torch.no_grad()
@pytest.mark.parametrize('large', [False, True])
def test_pidnet(large):
    theirs = shaken(PIDNet(large=large))
    ours = segmentor(
        dict(type='PIDNet', channels=8, ppm_channels=8, num_stem_blocks=3 if large else 2,
             num_branch_blocks=4 if large else 3),
        dict(type='PIDHead', loss_decode=[CE] * 2 + [dict(type='BoundaryLoss')] + [CE]))
    # as their training stores it
    state = {f'model.{name}': value for name, value in theirs.state_dict().items()}
    state['loss.weight'] = torch.ones(5)
    coverage = load_state_dict(ours, dict(state_dict=state), 'pidnet.pt', TEST_FLOOR, True)
    assert coverage.is_whole
    assert coverage.unexpected == ['loss.weight']
    img = torch.randn(1, 3, 128, 128)
    for found, expected in zip(ours.eval().decode_head._all(ours.extract_feat(img)), theirs(img),
                               strict=True):
        close(found, expected)


@torch.no_grad()
def test_ddrnet():
    theirs = shaken(DDRNet())
    ours = segmentor(dict(type='DDRNet', channels=8, ppm_channels=8),
                     dict(type='DDRHead', loss_decode=[CE] * 2))
    coverage = load_state_dict(ours, theirs.state_dict(), 'ddrnet.pth', TEST_FLOOR, True)
    assert coverage.is_whole
    assert coverage.unexpected == []
    img = torch.randn(1, 3, 128, 128)
    for found, expected in zip(ours.eval().decode_head._both(ours.extract_feat(img)), theirs(img),
                               strict=True):
        close(found, expected)


def test_ddrnet_of_imagenet_initialises_the_backbone():
    state = {name: value for name, value in DDRNet().state_dict().items()
             if not name.startswith(('spp', 'final_layer', 'seghead'))}
    state |= {'down5.0.weight': torch.ones(1), 'linear.weight': torch.ones(1)}
    ours = MODELS.build(dict(type='DDRNet', channels=8, ppm_channels=8))
    coverage = load_state_dict(ours, {f'module.{name}': v for name, v in state.items()}, 'in.pth')
    assert all(name.startswith('spp.') for name in coverage.missing)
    assert torch.equal(ours.context_branch_layers[2][0].conv2.conv.weight,
                       state['layer5.0.conv2.weight'])


@torch.no_grad()
@pytest.mark.parametrize(('kind', 'blocks'), [('STDCNet1', (2, 2, 2)), ('STDCNet2', (4, 5, 3))])
@pytest.mark.parametrize('prefix', ['', 'cp.backbone.'])
def test_stdc(kind, blocks, prefix):
    theirs = shaken(STDC(blocks=blocks))
    assert 'x8.0.2.conv_list.0.conv.weight' in theirs.state_dict()
    ours = MODELS.build(dict(type='STDCNet', stdc_type=kind, in_channels=3,
                             channels=(4, 8, 32, 64, 128), bottleneck_type='cat', norm_cfg=BN,
                             act_cfg=dict(type='ReLU'), with_final_conv=True))
    state = {prefix + name: value for name, value in theirs.state_dict().items()}
    coverage = load_state_dict(ours, state, 'stdc.pth', 1.0)
    assert coverage.unexpected == ['fc.weight']
    img = torch.randn(1, 3, 64, 64)
    for found, expected in zip(ours.eval()(img), theirs(img), strict=True):
        close(found, expected)


@torch.no_grad()
def test_hrnet():
    """The head written out; the encoder's names are theirs already."""
    def stage(kind, *channels):
        return dict(num_modules=1, num_branches=len(channels), block=kind,
                    num_blocks=(1,) * len(channels), num_channels=channels)

    ours = segmentor(
        dict(type='HRNet', extra=dict(stage1=stage('BOTTLENECK', 8), stage2=stage('BASIC', 4, 8),
                                      stage3=stage('BASIC', 4, 8, 16),
                                      stage4=stage('BASIC', 4, 8, 16, 32))),
        dict(type='FCNHead', in_channels=(4, 8, 16, 32), in_index=(0, 1, 2, 3), channels=60,
             input_transform='resize_concat', kernel_size=1, num_convs=1, concat_input=False))
    backbone = shaken(ours.backbone)
    last = shaken(nn.Sequential(nn.Conv2d(60, 60, 1), nn.BatchNorm2d(60), nn.ReLU(),
                                nn.Conv2d(60, 5, 1)))
    img = torch.randn(1, 3, 64, 64)
    levels = [up(level, torch.empty(1, 1, 16, 16)) for level in backbone(img)]
    expected = last(torch.cat(levels, 1))
    state = {**backbone.state_dict(),
             **{f'last_layer.{name}': value for name, value in last.state_dict().items()}}
    state = {f'model.{name}': value.clone() for name, value in state.items()}
    for value in ours.state_dict().values():
        value.zero_()
    coverage = load_state_dict(ours, state, 'hrnet.pth', TEST_FLOOR, True)
    assert coverage.unexpected == []
    close(ours.eval().decode_head(ours.extract_feat(img)), expected)


@torch.no_grad()
def test_a_bias_before_a_norm_goes_into_its_mean():
    conv, norm = nn.Conv2d(2, 3, 1), shaken(nn.BatchNorm2d(3))
    weights = {'a.conv.weight': conv.weight, 'a.conv.bias': conv.bias,
               'a.bn.running_mean': norm.running_mean}
    img = torch.randn(1, 2, 4, 4)
    expected = norm(conv(img))
    folded = official.fold_biases(weights, ['a', 'b'])
    assert 'a.conv.bias' not in folded
    norm.running_mean = folded['a.bn.running_mean']
    close(norm(torch.conv2d(img, conv.weight)), expected)
