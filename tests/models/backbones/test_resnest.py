import torch
import torch.nn.functional as F

from segplug.models.backbones import ResNeSt
from segplug.models.backbones.resnest import SplitAttentionBottleneck, SplitAttentionConv2d


@torch.no_grad()
def _by_hand(layer: SplitAttentionConv2d, x: torch.Tensor) -> torch.Tensor:
    """Equations 1 to 4 of the paper, one group and channel after the other.

    Channel c of part r is channel r * C + c of the convolution; in ``fc2`` the channels stand
    by group, then by part.
    """
    maps = layer.bn0(layer.conv(x)).relu()
    num_c, width = maps.shape[1] // layer.radix, maps.shape[1] // layer.radix // layer.groups
    gap = sum(maps[:, r * num_c:(r + 1) * num_c] for r in range(layer.radix)).mean((2, 3))
    scores = layer.fc2(layer.bn1(layer.fc1(gap[..., None, None])).relu()).flatten(1)
    out = torch.zeros_like(maps[:, :num_c])
    for n in range(len(x)):
        for group in range(layer.groups):
            for c in range(width):
                z = torch.stack([scores[n, (group * layer.radix + r) * width + c]
                                 for r in range(layer.radix)])
                weights = z.exp() / z.exp().sum() if layer.radix > 1 else 1 / (1 + (-z).exp())
                for r in range(layer.radix):
                    channel = group * width + c
                    out[n, channel] += weights[r] * maps[n, r * num_c + channel]
    return out


def _compare(**options):
    torch.manual_seed(0)
    layer = SplitAttentionConv2d(12, **options).eval()
    x = torch.randn(2, 12, 5, 4)
    assert torch.allclose(layer(x), _by_hand(layer, x), atol=1e-6)


def test_split_attention_by_hand():
    _compare(radix=2)


def test_split_attention_of_groups():
    _compare(radix=3, groups=2)


def test_split_attention_of_one_part_is_a_sigmoid():
    _compare(radix=1, groups=2)


def test_width_of_the_attention_layer():
    """Channels times radix over the factor, but at least 32."""
    assert SplitAttentionConv2d(12).fc1.out_channels == 32
    assert SplitAttentionConv2d(128, radix=2).fc1.out_channels == 128 * 2 // 4


def test_a_pool_strides_where_the_convolution_would():
    pooled = SplitAttentionBottleneck(8, 4, stride=2, downsample=torch.nn.AvgPool2d(2))
    assert pooled.conv2.conv.stride == (1, 1)
    x = torch.rand(1, 4, 6, 6)
    assert torch.equal(pooled.avd_layer(x), F.avg_pool2d(x, 3, 2, padding=1))
    plain = SplitAttentionBottleneck(8, 4, stride=2, avg_down_stride=False)
    assert plain.conv2.conv.stride == (2, 2)
    caffe = SplitAttentionBottleneck(8, 4, stride=2, style='caffe')
    assert (caffe.conv1.stride, caffe.conv2.conv.stride) == ((2, 2), (1, 1))
    assert isinstance(caffe.avd_layer, torch.nn.Identity)


def test_resnest50_has_as_many_parameters_as_published():
    """27.5 M (table 3), less the 2048 x 1000 + 1000 of the classifier."""
    with torch.device('meta'):
        net = ResNeSt(depth=50, base_width=64, stem_channels=64)
        deep = ResNeSt(depth=200, base_width=64, stem_channels=128)
    assert round(sum(p.numel() for p in net.parameters()) / 1e6 + 2.049, 1) == 27.5
    assert [len(getattr(deep, f'layer{i}')) for i in (1, 2, 3, 4)] == [3, 24, 36, 3]
    assert not any('bn2' in name for name in net.state_dict())
