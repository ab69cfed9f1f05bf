import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segplug.errors import ConfigError
from segplug.models.decode_heads import FPNHead


def _head(in_channels, strides, **options) -> FPNHead:
    torch.manual_seed(0)
    return FPNHead(strides, in_channels=in_channels, in_index=list(range(len(strides))),
                   channels=4, num_classes=3, norm_cfg=dict(type='BN'), **options).eval()


def test_published_layout():
    """One convolution for each doubling, at least one; upsampling, without keys, in between."""
    head = _head([256] * 4, [4, 8, 16, 32])
    convs = {name.rsplit('.', 2)[0]: module.in_channels for name, module in head.named_modules()
             if isinstance(module, nn.Conv2d) and 'scale_heads' in name}
    assert convs == {'scale_heads.0': 256, 'scale_heads.1': 256, 'scale_heads.2': 4,
                     'scale_heads.3': 4}
    assert {name for name, module in head.named_modules() if isinstance(module, nn.Conv2d)} == {
        'conv_seg', *(f'scale_heads.{i}.conv' for i in (
            '0.0', '1.0', '2.0', '2.2', '3.0', '3.2', '3.4'))}


@torch.no_grad()
@pytest.mark.parametrize('align_corners', [False, True])
def test_levels_are_doubled_step_by_step_and_added(align_corners):
    head = _head([2, 3, 5], [4, 8, 16], align_corners=align_corners)
    levels = [torch.randn(1, 2, 12, 8), torch.randn(1, 3, 6, 4), torch.randn(1, 5, 3, 2)]

    def up(x):
        return F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=align_corners)

    a, b, c = head.scale_heads
    total = a[0](levels[0]) + up(b[0](levels[1])) + up(c[2](up(c[0](levels[2]))))
    assert torch.allclose(head(levels), head.conv_seg(total), atol=1e-6)


def test_a_level_of_odd_size_fits():
    head = _head([2, 2], [4, 8])
    assert head([torch.rand(1, 2, 5, 7), torch.rand(1, 2, 3, 4)]).shape == (1, 3, 5, 7)


@pytest.mark.parametrize('strides', [[4], [8, 4]])
def test_strides_that_do_not_fit(strides):
    with pytest.raises(ConfigError, match='stride of each level, finest first'):
        FPNHead(strides, in_channels=[2, 2], in_index=[0, 1], channels=4, num_classes=3)
