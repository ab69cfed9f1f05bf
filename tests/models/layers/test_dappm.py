import pytest
import torch
import torch.nn.functional as F

from segplug.models.layers import DAPPM, PAPPM


def _up(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, (9, 11), mode='bilinear', align_corners=False)


def _scales(net: DAPPM, x: torch.Tensor) -> list[torch.Tensor]:
    """The pooling kernels and strides of the papers' figures, and the global mean."""
    first, *pooled, last = net.scales
    return [first(x),
            *(_up(scale[1](F.avg_pool2d(x, kernel, stride, padding)))
              for scale, (kernel, stride, padding) in zip(
                  pooled, ((5, 2, 2), (9, 4, 4), (17, 8, 8)), strict=True)),
            _up(last[1](x.mean((2, 3), keepdim=True)))]


@pytest.mark.parametrize('kind', [DAPPM, PAPPM])
def test_it_is_the_formula(kind):
    net, x = kind(6, 4, 5).eval(), torch.randn(2, 6, 9, 11)
    with torch.no_grad():
        scales = _scales(net, x)
        maps = scales[:1]
        if kind is DAPPM:  # equation 2: y_i = conv(up(x_i) + y_(i-1))
            for i in range(1, 5):
                maps.append(net.processes[i - 1](scales[i] + maps[i - 1]))
        else:  # each scale has a convolution of its own, and they do not see each other
            kernel, norm = net.processes.conv.weight, net.processes.norm
            for i in range(1, 5):
                own = slice(4 * (i - 1), 4 * i)
                start = F.batch_norm(scales[i] + scales[0], norm.running_mean[own],
                                     norm.running_var[own], norm.weight[own], norm.bias[own])
                maps.append(F.conv2d(start.relu(), kernel[own], padding=1))
        expected = net.compression(torch.cat(maps, 1)) + net.shortcut(x)
        assert torch.allclose(net(x), expected, atol=1e-5)


def test_norm_and_activation_come_first():
    net = DAPPM(6, 4, 5)
    assert net.shortcut.order == ('norm', 'act', 'conv')
    assert net.shortcut.bn.num_features == 6
    assert net.compression.bn.num_features == 5 * 4
    assert net.compression.conv.bias is None
