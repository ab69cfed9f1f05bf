import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.backbones import ResNet, ResNetV1c, ResNetV1d
from segplug.models.layers import Bottleneck, ResLayer
from segplug.registry import MODELS


def _norm(name: str, channels: int) -> dict[str, tuple]:
    shapes = {f'{name}.{k}': (channels,)
              for k in ('weight', 'bias', 'running_mean', 'running_var')}
    return {**shapes, f'{name}.num_batches_tracked': ()}


def _published_resnet50() -> dict[str, tuple]:
    """Keys and shapes of torchvision's resnet50 without `fc`, by the rule of the paper."""
    shapes = {'conv1.weight': (64, 3, 7, 7), **_norm('bn1', 64)}
    width = 64
    for stage, (planes, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        for i in range(blocks):
            block = f'layer{stage}.{i}'
            for n, (cout, cin, k) in enumerate(
                    ((planes, width, 1), (planes, planes, 3), (4 * planes, planes, 1)), 1):
                shapes[f'{block}.conv{n}.weight'] = (cout, cin, k, k)
                shapes |= _norm(f'{block}.bn{n}', cout)
            if i == 0:
                shapes[f'{block}.downsample.0.weight'] = (4 * planes, width, 1, 1)
                shapes |= _norm(f'{block}.downsample.1', 4 * planes)
            width = 4 * planes
    return shapes


def _shapes(module: nn.Module) -> dict[str, tuple]:
    return {k: tuple(v.shape) for k, v in module.state_dict().items()}


def test_resnet50_has_the_published_layout():
    published = _published_resnet50()
    assert _shapes(ResNet(50)) == published
    # 25.557 M as published, less the 2048 x 1000 + 1000 of the classifier
    learned = sum(torch.Size(s).numel() for k, s in published.items()
                  if k.endswith(('weight', 'bias')))
    assert learned == 25_557_032 - 2_049_000


@pytest.mark.parametrize('norm', ['BN', 'SyncBN'])
def test_layout_does_not_depend_on_dilation_or_kind_of_batch_norm(norm):
    dilated = ResNet(50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), contract_dilation=True,
                     norm_cfg=dict(type=norm))
    assert _shapes(dilated) == _published_resnet50()


def test_deep_stem_layout():
    published = {k: s for k, s in _published_resnet50().items()
                 if not k.startswith(('conv1.', 'bn1.'))}
    for i, (cout, cin) in zip((0, 3, 6), ((32, 3), (32, 32), (64, 32)), strict=True):
        published[f'stem.{i}.weight'] = (cout, cin, 3, 3)
        published |= _norm(f'stem.{i + 1}', cout)
    assert _shapes(ResNetV1c(depth=50)) == published
    # ResNetV1d: an average without parameters stands before each shortcut's convolution.
    moved = {k.replace('downsample.1.', 'downsample.2.').replace('downsample.0.', 'downsample.1.'):
             s for k, s in published.items()}
    assert _shapes(ResNetV1d(depth=50)) == moved


@pytest.mark.parametrize(('depth', 'blocks', 'width'), [
    (18, [2, 2, 2, 2], 512), (34, [3, 4, 6, 3], 512), (50, [3, 4, 6, 3], 2048),
    (101, [3, 4, 23, 3], 2048), (152, [3, 8, 36, 3], 2048)])
def test_depths(depth, blocks, width):
    with torch.device('meta'):
        net = ResNet(depth)
    assert [len(getattr(net, f'layer{i}')) for i in (1, 2, 3, 4)] == blocks
    assert net.out_channels[-1] == width
    # depth counts the 7x7, the blocks' convolutions and the classifier that is not here
    convs = sum(isinstance(m, nn.Conv2d) for n, m in net.named_modules() if 'downsample' not in n)
    assert convs == depth - 1


def test_recipe_encoder():
    """REFERENCE: ResNet-101, output stride 8, five levels with the stem before max-pooling."""
    with torch.device('meta'):
        net = ResNet(101, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), out_stem=True)
        levels = net(torch.empty(1, 3, 64, 96))
    assert net.out_channels == (64, 256, 512, 1024, 2048)
    assert net.out_strides == (2, 4, 8, 8, 8)
    assert [tuple(x.shape[2:]) for x in levels] == [
        (32, 48), (16, 24), (8, 12), (8, 12), (8, 12)]
    assert [b.conv2.dilation[0] for b in net.layer3] == [2] * 23
    assert [b.conv2.dilation[0] for b in net.layer4] == [4] * 3


def test_stem_level_is_the_stem_and_changes_nothing_else():
    net = ResNet(18, base_channels=4, stem_channels=4, out_stem=True).eval()
    x = torch.rand(1, 3, 33, 32)
    stem, *rest = net(x)
    assert torch.equal(stem, net.bn1(net.conv1(x)).relu())
    net.out_stem = False
    for a, b in zip(rest, net(x), strict=True):
        assert torch.equal(a, b)


def test_out_indices_and_num_stages():
    net = ResNet(18, num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(1,))
    assert (net.out_channels, net.out_strides) == ((128,), (8,))
    assert not hasattr(net, 'layer3')


@pytest.mark.parametrize('deep_stem', [False, True])
def test_frozen_stages_neither_learn_nor_count(deep_stem):
    net = ResNet(18, stem_channels=8, base_channels=4, frozen_stages=2, deep_stem=deep_stem)
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net(torch.rand(2, 3, 32, 32))[-1].square().sum().backward()
    stem = ('stem.',) if deep_stem else ('conv1.', 'bn1.')
    for name, p in net.named_parameters():
        frozen = name.startswith((*stem, 'layer1.', 'layer2.'))
        assert p.requires_grad is not frozen
        assert (p.grad is None) is frozen, name
    moved = {k for k, v in net.state_dict().items() if not torch.equal(v, before[k])}
    assert moved
    assert all(k.startswith(('layer3.', 'layer4.')) for k in moved)


def test_frozen_stages_zero_is_the_stem_alone():
    net = ResNet(18, frozen_stages=0)
    assert {n.split('.')[0] for n, p in net.named_parameters() if not p.requires_grad} \
        == {'conv1', 'bn1'}


def test_norm_eval_keeps_statistics_but_learns():
    net = ResNet(18, stem_channels=4, base_channels=4, norm_eval=True)
    assert net.train() is net
    net(torch.rand(2, 3, 32, 32))[-1].sum().backward()
    assert net.training
    assert all(p.grad is not None for p in net.parameters())
    for name, buffer in net.named_buffers():
        # still the values of a fresh batch norm: mean 0, variance 1, no batch seen
        assert (buffer == (1 if name.endswith('running_var') else 0)).all(), name


def test_multi_grid_is_for_the_last_stage():
    net = ResNet(50, base_channels=4, dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1),
                 multi_grid=(1, 2, 4))
    assert [b.conv2.dilation[0] for b in net.layer3] == [2] * 6
    assert [b.conv2.dilation[0] for b in net.layer4] == [1, 2, 4]


@pytest.mark.parametrize(('depth', 'norm'), [(18, 'bn2'), (50, 'bn3')])
def test_blocks_start_as_identity(depth, norm):
    net = ResNet(depth, stem_channels=4, base_channels=4)
    net.init_weights()
    assert (getattr(net.layer2[1], norm).weight == 0).all()
    assert (net.layer2[1].bn1.weight == 1).all()
    plain = ResNet(depth, stem_channels=4, base_channels=4, zero_init_residual=False)
    plain.init_weights()
    assert (getattr(plain.layer2[1], norm).weight == 1).all()


def test_pretrained_is_short_for_init_cfg():
    assert ResNet(18, pretrained='x.pth').init_cfg == dict(type='Pretrained', checkpoint='x.pth')
    with pytest.raises(ConfigError, match='both'):
        ResNet(18, pretrained='x.pth', init_cfg=dict(type='Kaiming', layer='Conv2d'))


@pytest.mark.parametrize('wrong', [
    dict(depth=20), dict(style='torch'), dict(num_stages=5), dict(strides=(1, 2)),
    dict(dilations=(1,)), dict(out_indices=(4,)), dict(frozen_stages=5),
    dict(multi_grid=(1, 2, 4)), dict(dcn=dict(type='DCN')), dict(plugins=[dict(stages=(True,))])])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        ResNet(**{'depth': 18, **wrong})
    assert error.value.culprit == next(iter(wrong))


def test_a_variant_brings_its_own_blocks_and_settings():
    """As third-party variants are written: another table, another stage, levels by name."""
    class Wide(Bottleneck):
        expansion = 8

        def __init__(self, inplanes, planes, slope=0.0, **options):
            super().__init__(inplanes, planes, **options)
            self.relu = nn.LeakyReLU(slope)

    class WideNet(ResNet):
        arch_settings = {8: (Wide, (1, 1, 1, 1))}

        def make_res_layer(self, **options):
            return ResLayer(slope=0.5, **options)

        def forward(self, x):
            x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
            for name in self.res_layers:
                x = getattr(self, name)(x)
            return x

    net = WideNet(8, stem_channels=4, base_channels=4, num_stages=2, strides=(1, 2),
                  dilations=(1, 1), out_indices=(0, 1))
    assert net.stage_blocks == (1, 1)
    assert net.res_layers == ['layer1', 'layer2']
    assert net.layer2[0].relu.negative_slope == 0.5
    # 8 channels for each of 4 * 2 planes; stem, pooling and stage 2 halve 16 pixels
    assert net(torch.rand(1, 3, 16, 16)).shape == (1, 64, 2, 2)
    with pytest.raises(TypeError, match='colour'):
        ResLayer(Wide, 4, 4, 1, colour=1)


def test_a_foreign_block_starts_as_it_likes():
    class Plain(nn.Conv2d):
        expansion = 1

        def __init__(self, inplanes, planes, stride=1, dilation=1, downsample=None, init_cfg=None,
                     **options):
            super().__init__(inplanes, planes, 3, stride, dilation, dilation)
            assert init_cfg is None

    class PlainNet(ResNet):
        arch_settings = {4: (Plain, (1, 1, 1, 1))}

    net = PlainNet(4, stem_channels=4, base_channels=4)
    net.init_weights()
    assert net.layer4[0].weight.abs().sum() > 0


def test_misspelt_key_of_a_variant_gets_a_suggestion():
    with pytest.raises(ConfigError, match='norm_cfg'):
        MODELS.build(dict(type='ResNetV1c', depth=18, norm_cgf=dict(type='BN')))
    with pytest.raises(ConfigError, match='deep_stem'):
        MODELS.build(dict(type='ResNetV1d', depth=18, deep_stem=False))
