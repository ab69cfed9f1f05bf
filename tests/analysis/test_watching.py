"""What stands between a module and its forward, and that nothing of it stays."""

import pytest
import torch
from torch import nn

from segplug.analysis.watching import watched


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)

    def forward(self, x):
        return self.inner.forward(x)  # as heads do: hooks would not see it


def test_a_direct_call_of_forward_is_seen_and_all_is_as_before():
    net, seen = Net(), []

    def wrap(name, forward):
        def looked(x):
            seen.append((name, tuple(x.shape)))
            return 2 * forward(x)
        return looked

    x = torch.ones(3, 2)
    plain = net(x)
    with watched({'net': net, 'inner': net.inner}, wrap):
        assert torch.equal(net(x), 4 * plain)  # doubled twice
        assert net.inner.forward.__name__ == 'forward'
    assert seen == [('net', (3, 2)), ('inner', (3, 2))]
    assert torch.equal(net(x), plain)
    assert 'forward' not in vars(net) | vars(net.inner)


def test_a_forward_of_its_own_comes_back_after_an_error_too():
    layer = nn.Linear(2, 2)
    own = layer.forward = lambda x: x + 1

    def fail():
        with watched({'a': layer}, lambda name, forward: forward, plainly=True):
            assert layer(1) == 2
            assert len(layer._forward_hooks) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert layer.forward is own
    assert len(layer._forward_hooks) == 0
