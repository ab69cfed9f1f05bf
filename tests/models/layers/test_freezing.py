import torch
from torch import nn

from segplug.models.layers import freeze, norms_to_eval


def _net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5)).train()


def test_frozen_modules_neither_learn_nor_count():
    net = _net()
    freeze(net[0], net[1])
    assert not any(p.requires_grad for p in net.parameters())
    assert [m.training for m in net] == [False, False, True]


def test_norms_alone_are_in_eval_and_still_learn():
    net = _net()
    norms_to_eval(net)
    assert [m.training for m in net] == [True, False, True]
    net(torch.rand(2, 1, 3, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net[1].num_batches_tracked == 0
