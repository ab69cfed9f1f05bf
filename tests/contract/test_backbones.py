"""What every registered backbone keeps. A backbone without a row in CASES fails."""

import pytest
import torch

from segplug.registry import MODELS

SMALL = dict(depth=18, stem_channels=4, base_channels=4)
CASES = {
    'ResNet': [SMALL, dict(**SMALL, out_stem=True), dict(SMALL, depth=50, style='caffe'),
               dict(SMALL, depth=50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4),
                    contract_dilation=True, out_stem=True)],
    'ResNetV1c': [SMALL, dict(**SMALL, out_stem=True, out_indices=(1, 3))],
    'ResNetV1d': [SMALL, dict(**SMALL, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))],
}
ROWS = [dict(type=name, **row) for name, rows in CASES.items() for row in rows]


def _build(cfg: dict, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    net = MODELS.build(cfg)
    net.init_weights()
    return net


def test_every_backbone_has_a_row():
    names = MODELS.names()
    ours = {n for n in names if getattr(MODELS.get(n), '__module__', '').startswith(
        'segplug.models.backbones')}
    assert ours == set(CASES)


@pytest.mark.parametrize('cfg', ROWS, ids=str)
@pytest.mark.parametrize('size', [(64, 32), (65, 33), (37, 50), (1, 7)])
def test_declared_channels_and_strides_are_real(cfg, size):
    net = _build(cfg).eval()
    levels = net(torch.rand(1, 3, *size))
    assert isinstance(levels, tuple)
    assert len(levels) == len(net.out_channels) == len(net.out_strides)
    for level, channels, stride in zip(levels, net.out_channels, net.out_strides, strict=True):
        assert level.shape == (1, channels, *(-(-s // stride) for s in size))
        assert level.isfinite().all()


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_state_dict_round_trips(cfg):
    first, second = _build(cfg, 0).eval(), _build(cfg, 1).eval()
    x = torch.rand(1, 3, 33, 40)
    assert not torch.equal(first(x)[-1], second(x)[-1])
    second.load_state_dict(first.state_dict(), strict=True)
    for a, b in zip(first(x), second(x), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('cfg', ROWS, ids=str)
def test_every_parameter_learns(cfg):
    net = _build(cfg).train()
    sum(level.square().sum() for level in net(torch.rand(2, 3, 33, 40))).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
