import copy

import pytest
import torch
from torch import nn

from segplug.models.layers import BasicBlock, Bottleneck, ResLayer


def _filled(layer: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for p in layer.parameters():
        nn.init.uniform_(p, -0.5, 0.5, generator=generator)
    return layer


@pytest.mark.parametrize('block', [BasicBlock, Bottleneck])
def test_checkpointing_changes_no_number(block):
    plain = _filled(ResLayer(block, 8, 4, 2, stride=2))
    saving = copy.deepcopy(plain)
    for module in saving:
        module.with_cp = True
    x = torch.rand(2, 8, 9, 7)
    results = []
    for layer in (plain, saving):
        out = layer(x)
        out.square().sum().backward()
        # The running statistics move once, although the block ran twice.
        results.append([out, *(p.grad for p in layer.parameters()), *layer.buffers()])
    assert len(results[0]) > 10
    for a, b in zip(*results, strict=True):
        assert torch.equal(a, b)


def test_checkpointing_runs_a_block_again():
    layer = ResLayer(BasicBlock, 4, 4, 1, with_cp=True)
    calls = []
    layer[0].conv1.register_forward_hook(lambda *_: calls.append(1))
    layer(torch.rand(1, 4, 5, 5)).sum().backward()
    assert len(calls) == 2
    with torch.no_grad():
        layer(torch.rand(1, 4, 5, 5))
    assert len(calls) == 3
