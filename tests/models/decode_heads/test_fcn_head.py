import inspect

import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.decode_heads import FCNHead
from segplug.registry import MODELS


def _conv(name: str, cout: int, cin: int) -> dict[str, tuple]:
    """A 3x3 convolution without bias and its batch norm, as open-mmlab names them."""
    shapes = {f'{name}.bn.{k}': (cout,)
              for k in ('weight', 'bias', 'running_mean', 'running_var')}
    return {f'{name}.conv.weight': (cout, cin, 3, 3), **shapes,
            f'{name}.bn.num_batches_tracked': ()}


def _shapes(module) -> dict[str, tuple]:
    return {k: tuple(v.shape) for k, v in module.state_dict().items()}


@pytest.mark.parametrize('norm', ['BN', 'SyncBN'])
def test_published_decode_head_of_fcn_r50_d8(norm):
    head = FCNHead(in_channels=2048, in_index=3, channels=512, num_classes=19,
                   norm_cfg=dict(type=norm))
    assert _shapes(head) == {
        **_conv('convs.0', 512, 2048), **_conv('convs.1', 512, 512),
        **_conv('conv_cat', 512, 2048 + 512),
        'conv_seg.weight': (19, 512, 1, 1), 'conv_seg.bias': (19,)}


def test_published_auxiliary_head_of_fcn_r50_d8():
    head = FCNHead(in_channels=1024, in_index=2, channels=256, num_convs=1, concat_input=False,
                   num_classes=19, norm_cfg=dict(type='BN'))
    assert _shapes(head) == {**_conv('convs.0', 256, 1024),
                             'conv_seg.weight': (19, 256, 1, 1), 'conv_seg.bias': (19,)}


def test_no_convolutions():
    head = FCNHead(0, concat_input=False, in_channels=4, channels=4, num_classes=2).eval()
    x = torch.rand(1, 4, 3, 3)
    assert torch.equal(head([x]), head.conv_seg(x))
    with pytest.raises(ConfigError, match='in_channels=4, channels=8'):
        FCNHead(0, in_channels=4, channels=8, num_classes=2)


def test_dilation_is_for_the_convs_alone_and_keeps_the_size():
    head = FCNHead(kernel_size=3, dilation=6, in_channels=4, channels=4, num_classes=2)
    assert [c.conv.dilation for c in head.convs] == [(6, 6)] * 2
    assert head.conv_cat.conv.dilation == (1, 1)
    assert head([torch.rand(1, 4, 5, 7)]).shape == (1, 2, 5, 7)


def test_signature_shows_every_argument():
    parameters = inspect.signature(FCNHead).parameters
    assert {'num_convs', 'in_channels', 'channels', 'num_classes', 'loss_decode',
            'ignore_index'} <= set(parameters)
    assert all(p.kind is not p.VAR_KEYWORD for p in parameters.values())


@pytest.mark.parametrize('wrong', [dict(num_convs=-1), dict(dilation=0)])
def test_convolutions_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match='num_convs >= 0, dilation >= 1'):
        FCNHead(in_channels=4, channels=4, num_classes=2, **wrong)


def test_misspelt_key_gets_a_suggestion():
    cfg = dict(type='FCNHead', in_channels=4, channels=4, num_classes=2)
    assert isinstance(MODELS.build(cfg), nn.Module)
    with pytest.raises(ConfigError, match='num_convs'):
        MODELS.build(dict(**cfg, num_conv=1))
    with pytest.raises(ConfigError, match="needs the argument 'num_classes'"):
        MODELS.build(dict(type='FCNHead', in_channels=4, channels=4))
