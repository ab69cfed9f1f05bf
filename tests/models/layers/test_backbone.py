import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.layers import Backbone, start_cfg


class _Two(Backbone):
    def __init__(self, freeze: bool, norm_eval: bool = False) -> None:
        super().__init__(norm_eval=norm_eval)
        self.freeze = freeze
        self.first, self.second = nn.BatchNorm2d(1), nn.BatchNorm2d(1)
        self.keep_frozen()

    def frozen(self):
        return [self.first] if self.freeze else []

    def forward(self, x):
        return self.second(self.first(x))


def test_a_frozen_part_neither_learns_nor_counts():
    net = _Two(freeze=True)
    assert net.train() is net
    net(torch.rand(2, 1, 3, 3)).square().sum().backward()
    assert net.first.weight.grad is None
    assert net.second.weight.grad is not None
    assert net.first.num_batches_tracked == 0
    assert net.second.num_batches_tracked == 1


def test_norm_eval_learns_but_does_not_count():
    net = _Two(freeze=False, norm_eval=True).train()
    net(torch.rand(2, 1, 3, 3)).square().sum().backward()
    assert net.first.weight.grad is not None
    assert net.first.num_batches_tracked == net.second.num_batches_tracked == 0
    assert net.training
    assert not net.eval().training


def test_the_ways_to_start():
    assert start_cfg('x.pth', None) == dict(type='Pretrained', checkpoint='x.pth')
    assert start_cfg(None, dict(type='Xavier')) == dict(type='Xavier')
    assert [cfg['type'] for cfg in start_cfg(None, None)] == ['Kaiming', 'Constant']
    assert start_cfg(None, None, [dict(type='Normal')]) == [dict(type='Normal')]
    with pytest.raises(ConfigError, match='both'):
        start_cfg('x.pth', dict(type='Xavier'))
    with pytest.raises(ConfigError, match='no name of weights'):
        start_cfg(0, None)


def test_the_default_is_nobodys_to_change():
    start_cfg(None, None)[0]['type'] = 'Xavier'
    assert start_cfg(None, None)[0]['type'] == 'Kaiming'
