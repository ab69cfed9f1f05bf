import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segplug.errors import ConfigError
from segplug.models.decode_heads import LRASPPHead

SMALL = dict(branch_channels=(2, 3), in_channels=(4, 5, 6), in_index=(0, 1, 2), channels=7,
             num_classes=3, input_transform='multiple_select')


def _up(x, like):
    return F.interpolate(x, like.shape[2:], mode='bilinear', align_corners=False)


def _by_hand(head, fine, middle, deep, pool):
    """Figure 10 of the paper with two skips."""
    gate = torch.sigmoid(F.conv2d(pool(deep), head.image_pool[1].conv.weight))
    x = head.conv_up_input(head.aspp_conv(deep) * _up(gate, deep))
    for skip, conv, conv_up in ((middle, head.convs.conv1, head.conv_ups.conv_up1),
                                (fine, head.convs.conv0, head.conv_ups.conv_up0)):
        x = conv_up(torch.cat([_up(x, skip), conv(skip)], dim=1))
    return head.conv_seg(x)


@pytest.mark.parametrize(('size', 'pool'), [
    # the published pooling; 70 pixels hold two windows of 49, 20 apart
    ((50, 70), nn.AvgPool2d(49, stride=(16, 20))),
    # smaller maps: the mean of everything
    ((6, 9), lambda x: x.mean(dim=(2, 3), keepdim=True)),
    # wide ones: all rows, columns as published
    ((6, 70), nn.AvgPool2d((6, 49), stride=(16, 20)))])
def test_logits_are_those_of_the_figure(size, pool):
    torch.manual_seed(0)
    head = LRASPPHead(**SMALL, norm_cfg=dict(type='BN')).eval()
    levels = [torch.randn(2, c, 2 * size[0], 2 * size[1]) for c in (4, 5)]
    levels.append(torch.randn(2, 6, *size))
    out = head(levels)
    assert out.shape == (2, 3, 2 * size[0], 2 * size[1])
    torch.testing.assert_close(out, _by_hand(head, *levels, pool))


def test_published_layout():
    head = LRASPPHead(in_channels=(16, 24, 960), in_index=(0, 1, 2), channels=128,
                      input_transform='multiple_select', num_classes=19,
                      norm_cfg=dict(type='BN'))
    shapes = {k: tuple(v.shape[:2]) for k, v in head.state_dict().items() if v.dim() == 4}
    assert shapes == {
        'conv_seg.weight': (19, 128), 'convs.conv0.weight': (32, 16),
        'convs.conv1.weight': (64, 24), 'conv_ups.conv_up0.conv.weight': (128, 160),
        'conv_ups.conv_up1.conv.weight': (128, 192), 'conv_up_input.weight': (128, 128),
        'aspp_conv.conv.weight': (128, 960), 'image_pool.1.conv.weight': (128, 960)}


@pytest.mark.parametrize('wrong', [
    dict(input_transform='resize_concat'), dict(branch_channels=(2,))])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        LRASPPHead(**{**SMALL, **wrong})
    assert error.value.culprit == next(iter(wrong))
