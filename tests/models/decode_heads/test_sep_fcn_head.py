import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.decode_heads import DepthwiseSeparableFCNHead
from segplug.registry import MODELS


def test_published_layout():
    head = DepthwiseSeparableFCNHead(in_channels=128, channels=128, concat_input=False,
                                     num_classes=19, norm_cfg=dict(type='BN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if v.dim() == 4}
    expected = {'conv_seg.weight': (19, 128, 1, 1)}
    for i in (0, 1):
        expected[f'convs.{i}.depthwise_conv.conv.weight'] = (128, 1, 3, 3)
        expected[f'convs.{i}.pointwise_conv.conv.weight'] = (128, 128, 1, 1)
    assert shapes == expected


def test_logits_by_hand():
    """Each channel by itself, tap by tap; no activation; across channels; ReLU; then once more
    over the input and that joined."""
    torch.manual_seed(0)
    head = DepthwiseSeparableFCNHead(num_convs=1, in_channels=3, channels=4, num_classes=2).eval()
    x = torch.randn(2, 3, 5, 6)

    def separable(part, x):
        within, across = part.depthwise_conv.conv, part.pointwise_conv.conv
        padded = torch.nn.functional.pad(x, [1] * 4)
        x = sum(within.weight[:, 0, i, j].view(1, -1, 1, 1) * padded[:, :, i:i + 5, j:j + 6]
                for i in range(3) for j in range(3)) + within.bias.view(1, -1, 1, 1)
        x = torch.einsum('oi,nihw->nohw', across.weight[:, :, 0, 0], x)
        return (x + across.bias.view(1, -1, 1, 1)).relu()

    feats = separable(head.conv_cat, torch.cat([x, separable(head.convs[0], x)], dim=1))
    torch.testing.assert_close(head([x]), head.conv_seg(feats))


def test_settings_hold_for_the_separable_convolutions():
    head = DepthwiseSeparableFCNHead(
        dw_act_cfg=dict(type='Tanh'), dilation=3, in_channels=4, channels=4, num_classes=2,
        act_cfg=dict(type='ReLU6'))
    first = head.convs[0]
    assert first.depthwise_conv.conv.dilation == (3, 3)
    assert first.depthwise_conv.activate.__class__.__name__ == 'Tanh'
    assert first.pointwise_conv.activate.__class__.__name__ == 'ReLU6'
    assert head.conv_cat.depthwise_conv.conv.dilation == (1, 1)
    assert head([torch.rand(1, 4, 7, 9)]).shape == (1, 2, 7, 9)


def test_no_convolutions():
    head = DepthwiseSeparableFCNHead(num_convs=0, concat_input=False, in_channels=4, channels=4,
                                     num_classes=2).eval()
    x = torch.rand(1, 4, 3, 3)
    assert torch.equal(head([x]), head.conv_seg(x))


def test_misspelt_key_gets_a_suggestion():
    with pytest.raises(ConfigError, match='dw_act_cfg'):
        MODELS.build(dict(type='DepthwiseSeparableFCNHead', in_channels=4, channels=4,
                          num_classes=2, dw_act_cgf=None))
