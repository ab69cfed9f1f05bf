import torch
import torch.nn.functional as F

from segplug.models.necks import JPU


def test_the_figure_of_the_paper():
    """Figure 4 written out: convolve, bring to one size, join, dilate four ways, join."""
    torch.manual_seed(0)
    jpu = JPU((3, 4), 2, dilations=(1, 3), norm_cfg=None, align_corners=True)
    fine, coarse = torch.rand(1, 3, 7, 6), torch.rand(1, 4, 4, 3)
    first, second = (layer[0].conv for layer in jpu.conv_layers)
    joined = torch.cat([
        F.conv2d(fine, first.weight, first.bias, padding=1).relu(),
        F.interpolate(F.conv2d(coarse, second.weight, second.bias, padding=1).relu(), (7, 6),
                      mode='bilinear', align_corners=True)], 1)
    parts = []
    for dilation, layer in zip((1, 3), jpu.dilation_layers, strict=True):
        deep, point = layer[0].depthwise_conv.conv, layer[0].pointwise_conv.conv
        x = F.conv2d(joined, deep.weight, deep.bias, padding=dilation, dilation=dilation, groups=4)
        parts.append(F.conv2d(x, point.weight, point.bias).relu())
    outs = jpu([fine, coarse])
    assert outs[0] is fine
    assert torch.allclose(outs[1], torch.cat(parts, 1), atol=1e-6)


def test_names_of_published_weights():
    shapes = {k: tuple(v.shape) for k, v in JPU().state_dict().items() if k.endswith('conv.weight')}
    assert shapes == {
        **{f'conv_layers.{i}.0.conv.weight': (512, 512 * 2**i, 3, 3) for i in range(3)},
        **{f'dilation_layers.{i}.0.depthwise_conv.conv.weight': (1536, 1, 3, 3)
           for i in range(4)},
        **{f'dilation_layers.{i}.0.pointwise_conv.conv.weight': (512, 1536, 1, 1)
           for i in range(4)}}


def test_the_last_level_may_be_left_out():
    jpu = JPU((3, 4, 5), 2, end_level=2).eval()
    levels = [torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4), torch.full((1, 5, 2, 2), torch.nan)]
    outs = jpu(levels)
    assert [tuple(out.shape) for out in outs] == [(1, 3, 8, 8), (1, 8, 8, 8)]
    assert outs[1].isfinite().all()
