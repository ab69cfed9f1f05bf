"""With a stand-in of timm's interface, and with timm where it imports."""

import sys

import extras_stand_in
import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.backbones import TIMMBackbone

REAL = extras_stand_in.why_not('timm')
needs_timm = pytest.mark.skipif(REAL is not None, reason=REAL or '')


@pytest.fixture
def stand_in(monkeypatch):
    extras_stand_in.install(monkeypatch, always=True)


def make(name, **options):
    return TIMMBackbone(name, pretrained=False, **options)


def wrong(name, **options):
    with pytest.raises(ConfigError) as error:
        make(name, **options)
    return error.value


@pytest.mark.usefixtures('stand_in')
class TestStandIn:
    def test_what_the_model_declares_is_declared(self):
        net = make('resnet18', output_stride=8, out_indices=(1, 2, 4), in_channels=5)
        assert (net.out_channels, net.out_strides) == ((4, 6, 10), (4, 8, 8))
        levels = net(torch.rand(2, 5, 33, 40))
        assert [tuple(x.shape) for x in levels] == [(2, 4, 9, 10), (2, 6, 5, 5), (2, 10, 5, 5)]
        assert all(name.startswith('timm_model.') for name in net.state_dict())

    def test_channels_that_come_last_are_turned(self):
        net = make('swin_tiny', img_size=64)
        levels = net(torch.rand(2, 3, 64, 96))
        assert [tuple(x.shape[1:]) for x in levels] == [(4, 16, 24), (6, 8, 12), (8, 4, 6),
                                                        (10, 2, 3)]
        turned = net.timm_model(torch.ones(1, 3, 64, 96))[0]
        assert torch.equal(net(torch.ones(1, 3, 64, 96))[0], turned.permute(0, 3, 1, 2))

    def test_another_size_than_the_model_has(self):
        with pytest.raises(ShapeError, match='img_size'):
            make('swin_tiny')(torch.rand(1, 3, 64, 96))

    def test_other_channels_than_declared(self):
        with pytest.raises(ShapeError, match='than it declares'):
            make('liar').eval()(torch.rand(1, 3, 32, 32))

    @pytest.mark.parametrize('name', ['swin_tiny', 'vgg11', 'deaf'])
    def test_what_cannot_dilate_says_so(self, name):
        """It has no such argument, asserts another value, or takes it and does not dilate."""
        error = wrong(name, output_stride=8)
        assert error.culprit == 'output_stride'
        assert f'{name} of timm cannot be dilated' in str(error)

    def test_tokens_are_refused(self):
        assert 'tokens' in str(wrong('tokens'))

    def test_a_misspelt_name(self):
        assert "'resnet18'" in wrong('resnet81').fix

    def test_an_argument_that_the_model_does_not_have(self):
        assert 'img_size' in str(wrong('resnet18', img_size=64))
        assert 'banana' in str(wrong('resnet18', model_args=dict(banana=1)))
        assert make('resnet18', drop_path_rate=0.5).timm_model.drop_path_rate == 0.5

    def test_a_level_that_the_model_does_not_have(self):
        assert 'out_indices' in str(wrong('resnet18', out_indices=(7,)))

    def test_a_classifier_is_refused(self):
        assert wrong('resnet18', features_only=False).culprit == 'features_only'

    def test_norms_of_the_registry(self):
        net = make('resnet18', norm_layer='SyncBN')
        assert any(isinstance(m, torch.nn.SyncBatchNorm) for m in net.modules())

    def test_weights_of_timm_are_not_initialised_over(self, tmp_path):
        source = make('resnet18')
        path = tmp_path / 'weights.pth'
        torch.save(source.timm_model.state_dict(), path)
        net = make('resnet18', checkpoint_path=str(path),
                   init_cfg=dict(type='Constant', val=0, layer='Conv2d'))
        net.init_weights()
        assert torch.equal(net.timm_model.blocks[0][0].weight,
                           source.timm_model.blocks[0][0].weight)
        assert TIMMBackbone('resnet18').timm_model.was_pretrained is True


def test_without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    error = wrong('resnet18')
    assert error.fix.startswith('pip install "segplug[timm]"')
    assert 'TIMMBackbone needs timm' in str(error)


@needs_timm
@pytest.mark.parametrize(('options', 'strides'), [
    (dict(model_name='resnet18', output_stride=8), (2, 4, 8, 8, 8)),
    (dict(model_name='swin_tiny_patch4_window7_224', img_size=(64, 96)), (4, 8, 16, 32))])
def test_models_of_timm(options, strides):
    net = TIMMBackbone(pretrained=False, **options).eval()
    assert net.out_strides == strides
    with torch.no_grad():
        levels = net(torch.rand(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in levels] == [
        (c, 64 // s, 96 // s) for c, s in zip(net.out_channels, strides, strict=True)]


@needs_timm
@pytest.mark.parametrize('name', ['densenet121', 'dpn68', 'swin_tiny_patch4_window7_224'])
def test_models_of_timm_that_do_not_dilate(name):
    assert wrong(name, output_stride=8).culprit == 'output_stride'
