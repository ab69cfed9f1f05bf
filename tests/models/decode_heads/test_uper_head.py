import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.decode_heads import UPerHead


def _up(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(x, size, mode='bilinear', align_corners=False)


def test_the_figure_of_the_paper():
    """Three levels written out: pool, then from coarse to fine, then all at the finest size."""
    torch.manual_seed(0)
    head = UPerHead(pool_scales=(1, 2), in_channels=[4, 5, 6], in_index=[0, 1, 2], channels=3,
                    num_classes=2).eval()
    sizes = ((9, 7), (5, 4), (3, 2))
    c2, c3, c4 = (torch.rand(2, c, *s) for c, s in zip((4, 5, 6), sizes, strict=True))
    p4 = head.bottleneck(torch.cat([c4, *(_up(branch(c4), sizes[2])
                                          for branch in head.psp_modules)], 1))
    p3 = head.lateral_convs[1](c3) + _up(p4, sizes[1])
    p2 = head.lateral_convs[0](c2) + _up(p3, sizes[0])
    joined = torch.cat([head.fpn_convs[0](p2), _up(head.fpn_convs[1](p3), sizes[0]),
                        _up(p4, sizes[0])], 1)
    wanted = head.conv_seg(head.fpn_bottleneck(joined))
    assert torch.allclose(head([c2, c3, c4]), wanted, atol=1e-6)


def test_the_order_of_the_levels_is_in_index():
    head = UPerHead(in_channels=[4, 6], in_index=[0, 2], channels=3, num_classes=2).eval()
    levels = [torch.rand(1, 4, 8, 8), torch.full((1, 5, 4, 4), torch.nan), torch.rand(1, 6, 2, 2)]
    assert head(levels).shape == (1, 2, 8, 8)
    assert head(levels).isfinite().all()


def test_names_of_published_weights():
    head = UPerHead(in_channels=[256, 512, 1024, 2048], in_index=[0, 1, 2, 3], channels=512,
                    num_classes=19, norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if k.endswith('conv.weight')}
    assert shapes == {
        'bottleneck.conv.weight': (512, 2048 + 4 * 512, 3, 3),
        'fpn_bottleneck.conv.weight': (512, 4 * 512, 3, 3),
        **{f'psp_modules.{i}.1.conv.weight': (512, 2048, 1, 1) for i in range(4)},
        **{f'lateral_convs.{i}.conv.weight': (512, 256 * 2**i, 1, 1) for i in range(3)},
        **{f'fpn_convs.{i}.conv.weight': (512, 512, 3, 3) for i in range(3)}}


def test_it_takes_several_levels():
    with pytest.raises(ConfigError, match='several levels'):
        UPerHead(in_channels=4, channels=3, num_classes=2)
