"""Stems that read another number of channels: by hand, and through the backbones."""

import pytest
import torch
from mmengine.registry import DefaultScope

from segplug.engine import weight_init  # noqa: F401 (registers Pretrained)
from segplug.engine.stems import adapt_stems, spread
from segplug.registry import MODELS

STDC1 = dict(type='STDCNet', stdc_type='STDCNet1', in_channels=3, channels=(8, 8, 16, 16, 16),
             bottleneck_type='cat', norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))
HRNET = dict(type='HRNet', extra=dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,),
                num_channels=(8,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1),
                num_channels=(4, 8)),
    stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1,) * 3,
                num_channels=(4, 8, 16)),
    stage4=dict(num_modules=1, num_branches=4, block='BASIC', num_blocks=(1,) * 4,
                num_channels=(4, 8, 16, 32))))
BACKBONES = {
    'conv1.weight': dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
    'stem.0.weight': dict(type='ResNetV1c', depth=18, base_channels=8, stem_channels=8),
    'conv1.conv.weight': dict(type='MobileNetV2', widen_factor=0.25),
    'layer0.conv.weight': dict(type='MobileNetV3'),
    'conv1.weight of HRNet': HRNET,
    'stages.0.conv.weight': STDC1,
}


def test_the_sum_is_shared_out():
    weight = torch.tensor([1., 2., 6.]).view(1, 3, 1, 1)
    assert spread(weight, 1).flatten().tolist() == [9.]
    assert spread(weight, 2).flatten().tolist() == [4.5, 4.5]
    assert spread(weight.half(), 5).flatten().tolist() == pytest.approx([1.8] * 5, rel=1e-3)


def test_only_what_differs_in_the_channels_of_an_image():
    model = dict(stem=torch.zeros(4, 5, 3, 3), inner=torch.zeros(4, 5, 3, 3),
                 other=torch.zeros(4, 5, 1, 1), depthwise=torch.zeros(4, 1, 3, 3),
                 same=torch.zeros(4, 3, 3, 3), norm=torch.zeros(4), lost=torch.zeros(4, 5, 3, 3))
    weights = dict(stem=torch.ones(4, 3, 3, 3), inner=torch.ones(4, 8, 3, 3),
                   other=torch.ones(4, 3, 3, 3), depthwise=torch.ones(4, 1, 3, 3),
                   same=torch.ones(4, 3, 3, 3), norm=torch.ones(3))
    before = dict(weights)
    assert adapt_stems(model, weights) == dict(stem=5)
    assert weights['stem'].shape == (4, 5, 3, 3)
    for name in before.keys() - {'stem'}:
        assert weights[name] is before[name]


@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('stem', list(BACKBONES))
def test_a_grey_image_is_answered_as_before(stem, channels, tmp_path):
    torch.manual_seed(0)
    colour = MODELS.build(BACKBONES[stem])
    colour.init_weights()
    torch.save(colour.state_dict(), tmp_path / 'a.pth')
    ours = MODELS.build(dict(
        BACKBONES[stem], in_channels=channels,
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'))))
    with DefaultScope.overwrite_default_scope('segplug'):  # as the runner sets it
        ours.init_weights()
    name = stem.split(' ')[0]
    torch.testing.assert_close(ours.state_dict()[name],
                               spread(colour.state_dict()[name], channels))
    img = torch.randn(1, 1, 64, 64)
    found, expected = (net.eval()(img.repeat(1, count, 1, 1))
                       for net, count in ((ours, channels), (colour, 3)))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
