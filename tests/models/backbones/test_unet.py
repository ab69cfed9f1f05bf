import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.backbones import UNet


def _conv(x, state, name, padding=1):
    """Convolution, batch norm in eval mode, ReLU, from the published names."""
    x = F.conv2d(x, state[f'{name}.conv.weight'], padding=padding)
    norm = [state[f'{name}.bn.{k}'] for k in ('running_mean', 'running_var', 'weight', 'bias')]
    return F.batch_norm(x, *norm).relu()


def _by_hand(x, state, stages):
    """The paper's figure 1, with padding and bilinear growth."""
    skips = []
    for i in range(stages):
        if i:
            x = F.max_pool2d(x, 2)
        for j in (0, 1):
            x = _conv(x, state, f'encoder.{i}.{1 if i else 0}.convs.{j}')
        skips.append(x)
    levels = [skips.pop()]
    for i in reversed(range(stages - 1)):
        x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
        x = _conv(x, state, f'decoder.{i}.upsample.interp_upsample.1', padding=0)
        x = torch.cat([skips.pop(), x], dim=1)
        for j in (0, 1):
            x = _conv(x, state, f'decoder.{i}.conv_block.convs.{j}')
        levels.append(x)
    return levels


def test_levels_are_those_of_the_paper_written_out():
    torch.manual_seed(0)
    net = UNet(base_channels=2, num_stages=3, strides=(1,) * 3, enc_num_convs=(2,) * 3,
               dec_num_convs=(2,) * 2, downsamples=(True,) * 2, enc_dilations=(1,) * 3,
               dec_dilations=(1,) * 2).eval()
    for p in net.parameters():
        torch.nn.init.uniform_(p, -0.5, 0.5)
    x = torch.rand(1, 3, 8, 12)
    expected = _by_hand(x, net.state_dict(), 3)
    assert [tuple(e.shape[1:]) for e in expected] == [(8, 2, 3), (4, 4, 6), (2, 8, 12)]
    for level, one in zip(net(x), expected, strict=True):
        torch.testing.assert_close(level, one)


def test_s5_d16():
    """Widths 64 to 1024, coarsest first, and the published number of weights."""
    with torch.device('meta'):
        net = UNet()
        levels = net(torch.empty(1, 3, 32, 48))
    assert net.out_channels == (1024, 512, 256, 128, 64)
    assert net.out_strides == (16, 8, 4, 2, 1)
    assert [tuple(x.shape[2:]) for x in levels] == [(2, 3), (4, 6), (8, 12), (16, 24), (32, 48)]
    widths = [64, 128, 256, 512, 1024]
    encoder = sum(9 * (a * b + b * b) for a, b in zip([3, *widths], widths, strict=False))
    # a step: 1x1 from 2w to w, 3x3 from 2w to w, 3x3 from w to w
    decoder = sum(2 * w * w + 9 * (2 * w * w + w * w) for w in widths[:-1])
    weights = sum(p.numel() for n, p in net.named_parameters() if 'conv.weight' in n)
    assert weights == encoder + decoder


def test_a_stage_shrinks_by_stride_by_pooling_or_not_at_all():
    net = UNet(base_channels=2, num_stages=4, strides=(1, 2, 1, 1), enc_num_convs=(1,) * 4,
               dec_num_convs=(1,) * 3, downsamples=(True, True, False), enc_dilations=(1,) * 4,
               dec_dilations=(1,) * 3)
    assert net.out_strides == (4, 4, 2, 1)
    assert [type(stage[0]).__name__ for stage in net.encoder] == [
        'BasicConvBlock', 'BasicConvBlock', 'MaxPool2d', 'BasicConvBlock']
    assert [type(step.upsample).__name__ for step in net.decoder] == [
        'InterpConv', 'InterpConv', 'ConvModule']


def test_pixels_of_an_odd_size_stay_in_their_places():
    """An image that grows to the right by one column changes nothing far to the left."""
    torch.manual_seed(0)
    net = UNet(base_channels=2, num_stages=2, strides=(1,) * 2, enc_num_convs=(1,) * 2,
               dec_num_convs=(1,), downsamples=(True,), enc_dilations=(1,) * 2,
               dec_dilations=(1,)).eval()
    x = torch.rand(1, 3, 8, 32)
    whole, cut = net(x)[-1], net(x[..., :31])[-1]
    assert cut.shape[3] == 31
    torch.testing.assert_close(cut[..., :20], whole[..., :20])


@pytest.mark.parametrize('wrong', [
    dict(strides=(1, 1)), dict(enc_num_convs=(2,)), dict(enc_dilations=(1,)),
    dict(dec_num_convs=(2,)), dict(downsamples=(True,) * 5), dict(dec_dilations=(1,) * 5),
    dict(dcn=dict(type='DCN')), dict(plugins=[])])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        UNet(**wrong)
    assert error.value.culprit == next(iter(wrong))


def test_pretrained_is_short_for_init_cfg():
    with torch.device('meta'):
        assert UNet(pretrained='x.pth').init_cfg == dict(type='Pretrained', checkpoint='x.pth')
