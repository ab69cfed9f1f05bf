"""Parts with mmsegmentation's arguments give what the same part of a network gives."""

import importlib

import pytest
import torch

from segplug.errors import ConfigError
from segplug.models import backbones

NETWORKS = {
    'BiSeNetV1': dict(backbone_cfg=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4),
                      context_channels=(8, 16, 32), spatial_channels=(4, 4, 4, 8)),
    'BiSeNetV2': dict(detail_channels=(4, 4, 16), semantic_channels=(4, 4, 8, 16),
                      bga_channels=16),
    'FastSCNN': {},
    'PIDNet': dict(channels=4, ppm_channels=4),
    'ResNeSt': dict(depth=50, base_channels=8, stem_channels=8),
    'ResNeXt': dict(depth=50, base_channels=8, stem_channels=8, groups=2, base_width=4),
}
# module, part, its arguments, network, path of the same part there
PARTS = [
    ('bisenetv1', 'AttentionRefinementModule', (16, 8), 'BiSeNetV1', 'context_path.arm16'),
    ('bisenetv1', 'SpatialPath', (3, (4, 4, 4, 8)), 'BiSeNetV1', 'spatial_path'),
    ('bisenetv1', 'ContextPath', (NETWORKS['BiSeNetV1']['backbone_cfg'], (8, 16, 32)),
     'BiSeNetV1', 'context_path'),
    ('bisenetv1', 'FeatureFusionModule', (16, 256), 'BiSeNetV1', 'ffm'),
    ('bisenetv2', 'DetailBranch', ((4, 4, 16),), 'BiSeNetV2', 'detail'),
    ('bisenetv2', 'StemBlock', (3, 4), 'BiSeNetV2', 'semantic.stage1'),
    ('bisenetv2', 'GELayer', (4, 4, 6, 2), 'BiSeNetV2', 'semantic.stage2.0'),
    ('bisenetv2', 'CEBlock', (16, 16), 'BiSeNetV2', 'semantic.stage4_CEBlock'),
    ('bisenetv2', 'BGALayer', (16,), 'BiSeNetV2', 'bga'),
    ('bisenetv2', 'SemanticBranch', ((4, 4, 8, 16),), 'BiSeNetV2', 'semantic'),
    ('fast_scnn', 'LearningToDownsample', (3, (32, 48), 64), 'FastSCNN',
     'learning_to_downsample'),
    ('fast_scnn', 'GlobalFeatureExtractor', (), 'FastSCNN', 'global_feature_extractor'),
    ('fast_scnn', 'FeatureFusionModule', (64, 128, 128), 'FastSCNN', 'feature_fusion'),
    ('pidnet', 'PagFM', (8, 4), 'PIDNet', 'pag_1'),
    ('pidnet', 'LightBag', (16, 16), 'PIDNet', 'dfm'),
    ('resnest', 'Bottleneck', (32, 8, 1, 4, 8), 'ResNeSt', 'layer1.1'),
    ('resnext', 'Bottleneck', (32, 8, 2, 4, 8), 'ResNeXt', 'layer1.1'),
]


def find(network: torch.nn.Module, path: str) -> torch.nn.Module:
    for name in path.split('.'):
        network = getattr(network, name)
    return network


@pytest.mark.parametrize(('module', 'name', 'args', 'network', 'path'), PARTS,
                         ids=[f'{part[0]}-{part[1]}' for part in PARTS])
def test_a_part_has_the_names_and_shapes_of_the_networks_own(lent, module, name, args, network,
                                                             path):
    cls = getattr(importlib.import_module(f'mmseg.models.backbones.{module}'), name)
    own = find(getattr(backbones, network)(**NETWORKS[network]), path)
    part = cls(*args)
    part.load_state_dict(own.state_dict())
    assert isinstance(own, cls) or name in ('SpatialPath', 'SemanticBranch')


def test_parts_of_no_published_shape(lent):
    from mmseg.models.backbones.erfnet import DownsamplerBlock, NonBottleneck1d, UpsamplerBlock
    from mmseg.models.backbones.hrnet import HRModule
    from mmseg.models.backbones.pidnet import Bag, LightBag, PagFM
    from mmseg.models.backbones.resnest import RSoftmax
    from mmseg.models.backbones.resnet import BasicBlock
    from mmseg.models.backbones.stdc import STDCModule
    from mmseg.models.necks.ic_neck import CascadeFeatureFusion
    x, small = torch.rand(2, 4, 8, 8), torch.rand(2, 4, 4, 4)
    assert DownsamplerBlock(4, 16)(x).shape == (2, 16, 4, 4)
    assert NonBottleneck1d(4)(x).shape == x.shape
    assert UpsamplerBlock(4, 2)(x).shape == (2, 2, 16, 16)
    assert Bag(4, 6)(x, x, x).shape == LightBag(4, 6)(x, x, x).shape == (2, 6, 8, 8)
    for options in (dict(after_relu=True), dict(with_channel=True)):
        assert PagFM(4, 2, **options)(x, small).shape == x.shape
    assert STDCModule(4, 8, 2, fusion_type='cat', norm_cfg=dict(type='BN'))(x).shape == (
        2, 8, 4, 4)
    assert [y.shape[1] for y in CascadeFeatureFusion(4, 4, 6)(small, x)] == [6, 6]
    in_channels = [4, 4]
    module = HRModule(2, BasicBlock, (1, 1), in_channels, (4, 8))
    assert [y.shape[1] for y in module([x, small])] == in_channels == [4, 8]
    # Group 0 holds (part 0, part 1), then group 1: what comes out is part 0 of both groups first.
    scores = torch.tensor([0.0, 1.0, 2.0, 4.0])[None, :, None, None]
    gates = torch.tensor([1.0, 2.0]).sigmoid()
    assert torch.allclose(RSoftmax(2, 2)(scores)[0], torch.cat([1 - gates, gates]))


@pytest.mark.parametrize(('module', 'name', 'options'), [
    ('bisenetv1', 'SpatialPath', dict(num_channels=(4, 4))),
    ('bisenetv1', 'ContextPath', dict(backbone_cfg={}, context_channels=(4, 4))),
    ('bisenetv2', 'CEBlock', {}),
    ('erfnet', 'NonBottleneck1d', dict(channels=4, num_conv_layer=3)),
    ('fast_scnn', 'GlobalFeatureExtractor', dict(expand_ratio=4)),
    ('pidnet', 'LightBag', dict(in_channels=4, out_channels=4, act_cfg=dict(type='ReLU'))),
    ('resnest', 'Bottleneck', dict(inplanes=4, planes=4, style='tensorflow')),
    ('resnext', 'Bottleneck', dict(inplanes=4, planes=4, dcn={})),
    ('stdc', 'STDCModule', dict(in_channels=4, out_channels=8, stride=1, num_convs=1)),
    ('unet', 'BasicConvBlock', dict(in_channels=4, out_channels=8, plugins=[]))])
def test_what_a_part_has_not(lent, module, name, options):
    cls = getattr(importlib.import_module(f'mmseg.models.backbones.{module}'), name)
    with pytest.raises(ConfigError):
        cls(**options)
