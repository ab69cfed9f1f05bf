import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.decode_heads import DepthwiseSeparableASPPHead


def _head(**options) -> DepthwiseSeparableASPPHead:
    return DepthwiseSeparableASPPHead(
        **{**dict(c1_in_channels=5, c1_channels=2, dilations=(1, 2), in_channels=4, channels=3,
                  num_classes=2), **options}).eval()


def _separable(x: torch.Tensor, module, dilation: int) -> torch.Tensor:
    """A 3x3 of each channel by itself, then a 1x1 over them; a ReLU after each."""
    deep, point = module.depthwise_conv.conv, module.pointwise_conv.conv
    x = torch.cat([F.conv2d(x[:, c:c + 1], deep.weight[c:c + 1], deep.bias[c:c + 1],
                            padding=dilation, dilation=dilation)
                   for c in range(x.shape[1])], 1).relu()
    return F.conv2d(x, point.weight, point.bias).relu()


def test_the_figure_of_the_paper():
    """Figure 2 written out; the finer level is brought to few channels and comes second."""
    torch.manual_seed(0)
    head = _head()
    fine, x = torch.rand(2, 5, 9, 10), torch.rand(2, 4, 5, 5)
    parts = [head.image_pool(x).expand(2, 3, 5, 5), head.aspp_modules[0](x),
             _separable(x, head.aspp_modules[1], 2)]
    coarse = F.interpolate(head.bottleneck(torch.cat(parts, 1)), (9, 10), mode='bilinear')
    feat = torch.cat([coarse, head.c1_bottleneck(fine)], 1)
    for module in head.sep_bottleneck:
        feat = _separable(feat, module, 1)
    assert torch.allclose(head([fine, x]), head.conv_seg(feat), atol=1e-6)


def test_without_the_first_level_the_logits_have_the_size_of_the_input_level():
    head = _head(c1_in_channels=0, c1_channels=0)
    assert not any(key.startswith('c1') for key in head.state_dict())
    assert head([torch.rand(1, 5, 9, 10), torch.rand(1, 4, 5, 5)]).shape == (1, 2, 5, 5)


@pytest.mark.parametrize('widths', [(0, 48), (256, 0)])
def test_half_a_first_level_is_an_error(widths):
    with pytest.raises(ConfigError, match=f'c1_in_channels={widths[0]}'):
        _head(c1_in_channels=widths[0], c1_channels=widths[1])


def test_names_of_published_weights():
    head = _head(c1_in_channels=256, c1_channels=48, dilations=(1, 12), in_channels=2048,
                 channels=512, norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if k.endswith('conv.weight')}
    assert shapes == {
        'image_pool.1.conv.weight': (512, 2048, 1, 1),
        'aspp_modules.0.conv.weight': (512, 2048, 1, 1),
        'aspp_modules.1.depthwise_conv.conv.weight': (2048, 1, 3, 3),
        'aspp_modules.1.pointwise_conv.conv.weight': (512, 2048, 1, 1),
        'bottleneck.conv.weight': (512, 3 * 512, 3, 3),
        'c1_bottleneck.conv.weight': (48, 256, 1, 1),
        'sep_bottleneck.0.depthwise_conv.conv.weight': (560, 1, 3, 3),
        'sep_bottleneck.0.pointwise_conv.conv.weight': (512, 560, 1, 1),
        'sep_bottleneck.1.depthwise_conv.conv.weight': (512, 1, 3, 3),
        'sep_bottleneck.1.pointwise_conv.conv.weight': (512, 512, 1, 1)}
