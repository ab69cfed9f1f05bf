import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segplug.errors import ConfigError
from segplug.models.backbones import ERFNet
from segplug.models.backbones.erfnet import DownsamplerBlock, NonBottleneck1d

SMALL = dict(enc_downsample_channels=(4, 6, 8), enc_stage_non_bottlenecks=(1, 2),
             enc_non_bottleneck_dilations=(2, 4), enc_non_bottleneck_channels=(6, 8),
             dec_upsample_channels=(6, 4), dec_stages_non_bottleneck=(1, 1),
             dec_non_bottleneck_channels=(6, 4))
BLOCK = dict(conv_cfg=None, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


def test_published_layout():
    """Table 1 of the paper without its last layer, the classifier."""
    with torch.device('meta'):
        net = ERFNet()
        level, = net(torch.empty(2, 3, 64, 96))
    assert level.shape == (2, 16, 32, 48)
    assert (net.out_channels, net.out_strides) == ((16,), (2,))
    names = [type(block).__name__ for block in net.encoder]
    assert names == ['DownsamplerBlock'] * 2 + ['NonBottleneck1d'] * 5 \
        + ['DownsamplerBlock'] + ['NonBottleneck1d'] * 8
    assert [block.convs_layers[5].dilation[0] for block in net.encoder[8:]] == [2, 4, 8, 16] * 2
    # 2.06 M in all as published; the classifier is a deconvolution of 16 x 20 x 2 x 2 + 20
    learned = sum(p.numel() for p in net.parameters())
    assert round((learned + 16 * 20 * 4 + 20) / 1e6, 2) == 2.06


def test_half_by_convolution_and_by_pooling():
    torch.manual_seed(0)
    block = DownsamplerBlock(3, 5, **BLOCK).eval()
    x = torch.randn(1, 3, 6, 8)
    convolved = F.conv2d(x, block.conv.weight, block.conv.bias, stride=2, padding=1)
    pooled = torch.stack([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(dim=0)
    torch.testing.assert_close(block(x), block.bn(torch.cat([convolved, pooled], 1)).relu())


def test_the_factorised_block_by_hand():
    torch.manual_seed(0)
    block = NonBottleneck1d(3, 0.5, 2, **BLOCK).eval()
    x = torch.randn(1, 3, 7, 8)
    layers = block.convs_layers
    out = x
    for column, row, norm, reach in ((0, 2, 3, 1), (5, 7, 8, 2)):
        out = F.conv2d(out, layers[column].weight, layers[column].bias, padding=(reach, 0),
                       dilation=(reach, 1)).relu()
        out = F.conv2d(out, layers[row].weight, layers[row].bias, padding=(0, reach),
                       dilation=(1, reach))
        out = layers[norm](out)
        if reach == 1:
            out = out.relu()
    torch.testing.assert_close(block(x), (out + x).relu())


def test_the_encoder_alone_drops():
    net = ERFNet(**SMALL, dropout_ratio=0.3)
    rates = [[m.p for m in part.modules() if isinstance(m, nn.Dropout)]
             for part in (net.encoder, net.decoder)]
    assert rates == [[0.3] * 3, [0] * 2]


def test_settings_hold_and_eps_is_the_published_one():
    net = ERFNet(**SMALL)
    assert {m.eps for m in net.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}
    net = ERFNet(**SMALL, norm_cfg=dict(type='BN', eps=1e-4), act_cfg=dict(type='ReLU6'))
    assert {m.eps for m in net.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-4}
    assert not any(type(m) is nn.ReLU for m in net.modules())


def test_pixels_of_an_odd_size_stay_in_their_places():
    """Three columns less on the right change nothing 40 columns to the left of them."""
    torch.manual_seed(0)
    net = ERFNet(**SMALL).eval()
    x = torch.rand(1, 3, 16, 160)
    whole, cut = net(x)[0], net(x[..., :157])[0]
    assert (whole.shape[3], cut.shape[3]) == (80, 79)
    torch.testing.assert_close(cut[..., :16], whole[..., :16])


@pytest.mark.parametrize('wrong', [
    dict(enc_downsample_channels=(2, 64, 128)), dict(enc_downsample_channels=(16, 64, 64)),
    dict(enc_stage_non_bottlenecks=(5,)), dict(enc_stage_non_bottlenecks=(5, 7)),
    dict(enc_non_bottleneck_channels=(64, 64)), dict(dec_upsample_channels=(64,)),
    dict(dec_stages_non_bottleneck=(2,)), dict(dec_non_bottleneck_channels=(64, 8))])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        ERFNet(**wrong)
    assert error.value.culprit == next(iter(wrong))
