"""With a stand-in of smp's interface, and with smp where it imports."""

import sys

import extras_stand_in
import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.decode_heads import SMPHead

REAL = extras_stand_in.why_not('segmentation_models_pytorch')
CHANNELS = (4, 6, 8, 10, 12)


@pytest.fixture
def stand_in(monkeypatch):
    extras_stand_in.install(monkeypatch, always=True)


def levels(size, strides=(2, 4, 8, 16, 32)):
    return [torch.rand(2, c, *(-(-side // s) for side in size))
            for c, s in zip(CHANNELS, strides, strict=True)]


@pytest.mark.usefixtures('stand_in')
class TestStandIn:
    @pytest.mark.parametrize('size', [(64, 96), (45, 70)])
    @pytest.mark.parametrize('strides', [(2, 4, 8, 16, 32), (2, 4, 8, 8, 8)])
    def test_a_unet_gives_the_size_of_the_image(self, size, strides):
        head = SMPHead(CHANNELS, num_classes=3)
        assert head.channels == head.conv_seg.in_channels == 16
        assert head.logits_at(levels(size, strides), size).shape == (2, 3, *size)

    def test_without_a_size_twice_the_finest_level(self):
        assert SMPHead(CHANNELS, num_classes=3)(levels((45, 70))).shape == (2, 3, 46, 70)

    def test_fewer_levels_have_fewer_blocks(self):
        head = SMPHead((4, 8, 12), in_index=(0, 2, 4), num_classes=3)
        assert [block[0].out_channels for block in head.decoder.blocks] == [256, 128, 64]
        assert head.logits_at(levels((64, 64)), (64, 64)).shape == (2, 3, 64, 64)

    def test_arguments_of_the_decoder(self):
        head = SMPHead(CHANNELS, decoder_args=dict(decoder_channels=(5, 4, 3, 2, 2)),
                       num_classes=3)
        assert head.channels == 2

    def test_channels_of_other_decoders(self):
        assert SMPHead(CHANNELS, 'Linknet', num_classes=3).channels == 32
        assert SMPHead(CHANNELS, 'DeepLabV3Plus', num_classes=3).channels == 256

    def test_what_doubles_refuses_odd_and_dilated_levels(self):
        head = SMPHead(CHANNELS, 'Linknet', num_classes=3)
        assert head(levels((64, 96))).shape == (2, 3, 64, 96)
        for wrong in (levels((45, 70)), levels((64, 96), (2, 4, 8, 8, 8))):
            with pytest.raises(ShapeError, match='Linknet of smp grows a level by 2'):
                head(wrong)

    def test_deeplab_has_an_output_stride_of_its_own(self):
        """1/16 times 4 is the size of 1/4; 1/32 is not."""
        head = SMPHead(CHANNELS, 'DeepLabV3Plus', num_classes=3)
        assert head(levels((64, 96), (2, 4, 8, 16, 16))).shape == (2, 3, 16, 24)
        with pytest.raises(ShapeError, match='by 4'):
            head(levels((64, 96)))

    def test_norms(self):
        head = SMPHead(CHANNELS, norm_cfg=dict(type='SyncBN', requires_grad=True), num_classes=3)
        assert {type(m).__name__ for m in head.modules() if 'Norm' in type(m).__name__} \
            == {'SyncBatchNorm'}
        with pytest.raises(ConfigError) as error:
            SMPHead(CHANNELS, norm_cfg=dict(type='GN', num_groups=2), num_classes=3)
        assert 'use_norm' in error.value.fix

    @pytest.mark.parametrize(('options', 'culprit', 'fix'), [
        (dict(decoder='UNet'), 'decoder', "'Unet'"),
        (dict(decoder_args=dict(use_nrom=1)), 'use_nrom', "'use_norm'"),
        (dict(decoder_args=dict(n_blocks=4)), 'n_blocks', ''),
        (dict(decoder_args=dict(decoder_channels=(4, 4))), 'decoder', '')])
    def test_wrong_arguments_are_named(self, options, culprit, fix):
        with pytest.raises(ConfigError) as error:
            SMPHead(CHANNELS, num_classes=3, **options)
        assert error.value.culprit == culprit
        assert fix in (error.value.fix or '')


def test_without_smp(monkeypatch):
    monkeypatch.setitem(sys.modules, f'{extras_stand_in.SMP}.unet.decoder', None)
    with pytest.raises(ConfigError) as error:
        SMPHead(CHANNELS, num_classes=3)
    assert error.value.fix.startswith('pip install "segplug[smp]"')


@pytest.mark.skipif(REAL is not None, reason=REAL or '')
@pytest.mark.parametrize(('decoder', 'strides', 'out'), [
    ('Unet', (2, 4, 8, 8, 8), 1), ('UnetPlusPlus', (2, 4, 8, 16, 32), 1),
    ('MAnet', (2, 4, 8, 16, 32), 1), ('Linknet', (2, 4, 8, 16, 32), 1),
    ('FPN', (2, 4, 8, 16, 32), 4), ('PSPNet', (2, 4, 8, 8, 8), 8), ('PAN', (2, 4, 8, 8, 8), 4),
    ('DeepLabV3', (2, 4, 8, 8, 8), 8), ('DeepLabV3Plus', (2, 4, 8, 16, 16), 4),
    ('UPerNet', (2, 4, 8, 16, 32), 4), ('Segformer', (2, 4, 8, 16, 32), 4)])
def test_decoders_of_smp(decoder, strides, out):
    channels = tuple(8 * c for c in CHANNELS)
    head = SMPHead(channels, decoder, num_classes=3).eval()
    inputs = [torch.rand(1, c, 64 // s, 96 // s) for c, s in zip(channels, strides, strict=True)]
    with torch.no_grad():
        assert head.logits_at(inputs, (64, 96)).shape == (1, 3, 64 // out, 96 // out)
