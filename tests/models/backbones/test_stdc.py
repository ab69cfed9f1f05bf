from functools import partial

import pytest
import torch
from mmcv.cnn import ConvModule

from segplug.errors import ConfigError
from segplug.models.backbones import STDCContextPathNet, STDCNet
from segplug.models.backbones.stdc import _STDCModule

BASE = dict(in_channels=3, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))
CONV = partial(ConvModule, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))


def _macs(net: torch.nn.Module, size: int) -> int:
    """Multiplications of every convolution for one square image."""
    total = 0

    def count(conv, _, out):
        nonlocal total
        total += conv.weight.numel() * out.shape[2] * out.shape[3]

    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    net(torch.zeros(1, 3, size, size, device='meta'))
    return total


@pytest.mark.parametrize(('kind', 'published'), [('STDCNet1', 813), ('STDCNet2', 1446)])
def test_multiplications_are_those_of_the_paper(kind, published):
    """Table 2, million at 224 x 224; its two fully connected layers are 1024 * 2024 of them."""
    with torch.device('meta'):
        net = STDCNet(kind, channels=(32, 64, 256, 512, 1024), bottleneck_type='cat',
                      with_final_conv=True, **BASE).eval()
    assert (_macs(net, 224) + 1024 * 2024) / 1e6 == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('add', [False, True])
def test_a_module_joins_all_its_convolutions(stride, add):
    """Block by block: 1/2, 1/4, 1/8 and 1/8 of the channels."""
    module = _STDCModule(16, 16, stride, CONV, 4, add).eval()
    x = torch.randn(1, 16, 7, 6)
    first = module.layers[0]
    with torch.no_grad():
        if stride == 1:
            blocks, skip = [first(x)], x
            x1 = blocks[0]
        elif add:
            x1 = module.downsample(first[0](x))
            blocks, skip = [x1], module.skip(x)
        else:
            blocks, skip = [torch.nn.functional.avg_pool2d(first(x), 3, 2, 1)], None
            x1 = module.downsample(first(x))
        x2 = module.layers[1](x1)
        x3 = module.layers[2](x2)
        blocks += [x2, x3, module.layers[3](x3)]
        assert [b.shape[1] for b in blocks] == [8, 4, 2, 2]
        expected = torch.cat(blocks, 1) + (skip if add else 0)
        assert torch.equal(module(x), expected)


@pytest.mark.parametrize('mode', [dict(), dict(upsample_mode='bilinear', align_corners=False)])
def test_the_context_path_starts_from_the_global_mean(mode):
    encoder = dict(type='STDCNet', stdc_type='STDCNet1', channels=(4, 4, 8, 16, 32),
                   bottleneck_type='cat', **BASE)
    net = STDCContextPathNet(encoder, (32, 16), 4, dict(in_channels=12, out_channels=8), **mode)
    net.eval()
    x = torch.rand(1, 3, 64, 96)
    x8, _, x32 = net.backbone(x)
    first = net.arms[0](x32) + net.conv_avg(x32.mean((2, 3), keepdim=True)).expand(1, 4, 2, 3)
    up = torch.nn.functional.interpolate(first, (4, 6), mode=mode.get('upsample_mode', 'nearest'),
                                         align_corners=mode.get('align_corners'))
    levels = net(x)
    assert torch.allclose(levels[1], net.convs[0](up), atol=1e-6)
    assert torch.equal(levels[0], x8)
    fused = net.ffm.conv0(torch.cat([x8, levels[2]], 1))
    assert torch.allclose(levels[3], fused * (1 + net.ffm.attention(fused)), atol=1e-6)


@pytest.mark.parametrize(('options', 'text'), [
    (dict(stdc_type='STDC1'), 'no such type'), (dict(bottleneck_type='sum'), 'no such bottleneck'),
    (dict(channels=(4, 4, 8)), 'five stages'), (dict(num_convs=1), 'two convolutions'),
    (dict(pretrained='a.pth'), 'init_cfg')])
def test_arguments_that_do_not_fit(options, text):
    with pytest.raises(ConfigError, match=text):
        STDCNet(**{**dict(stdc_type='STDCNet1', channels=(4, 4, 8, 16, 32),
                          bottleneck_type='cat', **BASE), **options})
