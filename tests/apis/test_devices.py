"""Devices that there are, and that there are not."""

import pytest
import torch
from torch import nn

from segplug.apis.devices import on_device
from segplug.errors import ConfigError


def test_a_network_goes_where_it_is_told():
    net = on_device(nn.Linear(1, 1), 'meta')
    assert net.weight.device == torch.device('meta')
    expected = 'cuda' if torch.cuda.is_available() else 'cpu'
    assert on_device(nn.Linear(1, 1), None).weight.device.type == expected


@pytest.mark.parametrize('device', ['cuda:77', 'gpu', 'cpu:x'])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ConfigError, match=f"cannot compute on '{device}'.*Expected: 'cpu'"):
        on_device(nn.Linear(1, 1), device)
