"""torchvision's and timm's weights give here what they give there."""

import pytest
import torch
from key_maps.torchvision_nets import (
    FCN,
    BasicBlock,
    MobileNetV2,
    MobileNetV3Small,
    ResNet,
    close,
    shaken,
)
from torch.nn import functional as F

from segplug.engine.key_maps import KEY_MAPS, torchvision, translate
from segplug.engine.loading import TEST_FLOOR, load_state_dict
from segplug.engine.weight_init import PretrainedInit
from segplug.errors import CheckpointError
from segplug.registry import MODELS


@torch.no_grad()
def test_fcn_with_both_heads():
    theirs = shaken(FCN())
    common = dict(num_convs=1, concat_input=False, num_classes=5, norm_cfg=dict(type='BN'))
    ours = MODELS.build(dict(
        type='EncoderDecoder', test_cfg=dict(mode='whole'),
        backbone=dict(type='ResNet', depth=50, base_channels=8, stem_channels=8,
                      strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), contract_dilation=True),
        decode_head=dict(type='FCNHead', in_channels=256, channels=64, in_index=3, **common),
        auxiliary_head=dict(type='FCNHead', in_channels=128, channels=32, in_index=2, **common)))
    coverage = load_state_dict(ours, theirs.state_dict(), 'fcn.pth', TEST_FLOOR, True)
    assert coverage.is_whole
    assert coverage.unexpected == []
    assert "torchvision's FCN" in coverage.notes[0]
    img = torch.randn(1, 3, 64, 80)
    levels = ours.eval().extract_feat(img)
    for head, expected in zip((ours.decode_head, ours.auxiliary_head), theirs(img), strict=True):
        logits = F.interpolate(head(levels), (64, 80), mode='bilinear', align_corners=False)
        close(logits, expected)


def test_the_head_of_deeplabv3_is_told_to_have_no_place():
    state = {**FCN().state_dict(), 'classifier.0.convs.0.0.weight': torch.zeros(1)}
    del state['classifier.0.weight']
    found, notes = translate(state, ['backbone.conv1.weight', 'auxiliary_head.conv_seg.bias'], 'a')
    assert 'has no place here' in notes[0]
    assert 'classifier.4.weight' in found
    assert 'auxiliary_head.convs.0.bn.running_mean' in found


@torch.no_grad()
def test_mobilenet_v2():
    theirs, ours = shaken(MobileNetV2()), MODELS.build(
        dict(type='MobileNetV2', widen_factor=0.25, out_indices=(6,)))
    coverage = load_state_dict(ours, theirs.state_dict(), 'v2.pth', 1.0)
    assert {name.split('.')[0] for name in coverage.unexpected} == {'features', 'classifier'}
    img = torch.randn(1, 3, 64, 64)
    close(ours.eval()(img)[0], theirs(img))


@torch.no_grad()
def test_mobilenet_v3():
    theirs, ours = shaken(MobileNetV3Small()), MODELS.build(
        dict(type='MobileNetV3', arch='small', out_indices=(12,)))
    coverage = load_state_dict(ours, theirs.state_dict(), 'v3.pth', 1.0)
    assert coverage.unexpected == []
    assert 'the features are not the same' in coverage.notes[0]
    img = torch.randn(1, 3, 64, 64)
    close(ours.eval()(img)[0], theirs(img))


@torch.no_grad()
@pytest.mark.parametrize('whole', [False, True])
def test_timms_resnet_of_kind_d(whole):
    theirs = shaken(ResNet(BasicBlock, (2, 2, 2, 2), 16, dilate=False, deep=True))
    backbone = dict(type='ResNetV1d', depth=18, stem_channels=16, base_channels=16)
    ours = MODELS.build(backbone if not whole else dict(
        type='EncoderDecoder', backbone=backbone,
        decode_head=dict(type='FCNHead', in_channels=128, channels=8, in_index=3, num_classes=2)))
    state = {**theirs.state_dict(), 'fc.weight': torch.ones(1)}
    coverage = load_state_dict(ours, state, 'd.pth', 0.9)
    assert all(name.startswith('decode_head') for name in coverage.missing)
    img = torch.randn(1, 3, 64, 80)
    ours = (ours.backbone if whole else ours).eval()
    for found, expected in zip(ours(img), theirs(img), strict=True):
        close(found, expected)


def test_the_published_densenets(tmp_path):
    ours = MODELS.build(dict(type='DenseNet', depth=121))
    old = {name.replace('norm1.', 'norm.1.').replace('norm2.', 'norm.2.').replace(
        'conv1.', 'conv.1.').replace('conv2.', 'conv.2.') if 'denselayer' in name else name:
        torch.ones_like(value) for name, value in ours.state_dict().items()}
    assert 'features.denseblock4.denselayer16.norm.2.running_var' in old
    torch.save(old, tmp_path / 'densenet121.pth')
    PretrainedInit(str(tmp_path / 'densenet121.pth'))(ours)
    assert all(bool((value == 1).all()) for value in ours.state_dict().values())


def test_a_plain_resnet_needs_no_map():
    names = ResNet().state_dict()
    assert not [name for name, known in KEY_MAPS.items() if known.knows(names)]
    found, notes = translate(names, names, 'a.pth')
    assert found is names
    assert notes == []


def test_a_map_may_be_named_and_left_away():
    theirs = ResNet(BasicBlock, (1, 1, 1, 1), deep=True).state_dict()
    ours = list(torchvision.deep_stem(theirs))
    assert 'stem.7.running_mean' in translate(theirs, ours, 'a', 'timm-deep-stem')[0]
    assert translate(theirs, ours, 'a', 'none')[0] is theirs
    with pytest.raises(CheckpointError, match="no key map 'timm'"):
        translate(theirs, ours, 'a', 'timm')
    with pytest.raises(CheckpointError, match="a does not have the names of the authors' PIDNet"):
        translate(theirs, ours, 'a', 'pidnet')


def test_two_maps_that_fit_ask_for_a_flag(monkeypatch):
    theirs = ResNet(BasicBlock, (1, 1, 1, 1), deep=True).state_dict()
    monkeypatch.setitem(KEY_MAPS, 'other', KEY_MAPS['timm-deep-stem'])
    with pytest.raises(CheckpointError, match='Got: timm-deep-stem, other.*--key-map timm-deep-'):
        translate(theirs, list(torchvision.deep_stem(theirs)), 'a')


def test_a_backbone_is_found_below_and_above():
    plain = {'conv1.weight': 1, 'bn1.weight': 2}
    inner = {f'backbone.backbone.{name}': value for name, value in plain.items()}
    found, notes = translate(plain, inner, 'a')
    assert found == inner
    assert notes == ["The names were looked for below 'backbone.backbone.' of the model."]
    assert translate(plain, ['module.conv1.weight'], 'a')[0]['module.bn1.weight'] == 2
    found, notes = translate({**inner, 'decode_head.x': 3}, plain, 'a')
    assert found == plain
    assert notes == ["The names below 'backbone.backbone.' of the file were taken."]
