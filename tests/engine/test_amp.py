"""Mixed precision on the CPU; the GPU's with the marker gpu."""

import pytest
import torch
from torch import nn

from segplug.engine.amp import AmpOptimWrapper, pick_dtype
from segplug.errors import ConfigError


def wrapper(**options):
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    return model, AmpOptimWrapper(torch.optim.SGD(model.parameters(), 0.1, momentum=0.9),
                                  **options)


def test_types_by_device(monkeypatch):
    said = []
    monkeypatch.setattr('segplug.engine.amp.print_log', lambda text, logger: said.append(text))
    assert pick_dtype(None, 'cuda') is torch.float16
    assert pick_dtype('bfloat16', 'cuda') is torch.bfloat16
    assert pick_dtype(None, 'cpu') is torch.bfloat16
    assert pick_dtype('float16', 'cpu') is torch.bfloat16
    assert 'float16 needs a GPU' in said[0]
    for wrong in ('float64', torch.int8):
        with pytest.raises(ConfigError, match='float16 or bfloat16'):
            pick_dtype(wrong, 'cuda')


def test_loss_scale_values():
    with pytest.raises(ConfigError, match="Got: 'static'"):
        wrapper(loss_scale='static')
    for scale in ('dynamic', 512.0, dict(init_scale=4.0)):
        wrapper(loss_scale=scale)


@pytest.mark.skipif(torch.cuda.is_available(), reason='the CPU computes in bfloat16')
def test_autocast_is_bfloat16_and_state_has_no_scaler():
    model, optim = wrapper()
    with optim.optim_context(model):
        out = model(torch.ones(2, 3))
        assert out.dtype is torch.bfloat16
    optim.update_params(out.float().mean())
    state = optim.state_dict()
    assert 'loss_scaler' not in state
    optim.load_state_dict({**state, 'loss_scaler': dict(scale=1.0)})  # written on a GPU
    optim.load_state_dict(state)


@pytest.mark.skipif(torch.cuda.is_available(), reason='the CPU computes in bfloat16')
def test_accumulation_and_clipping():
    model, optim = wrapper(accumulative_counts=2, clip_grad=dict(max_norm=1e-3))
    optim.initialize_count_status(model, 0, 4)
    before = model.weight.clone()
    x = torch.full((4, 3), 100.0)
    for step in range(2):
        with optim.optim_context(model):
            loss = model(x).float().mean()
        optim.update_params(loss)
        assert torch.equal(model.weight, before) == (step == 0)
    # gradient clipped to norm 1e-3, times lr 0.1
    moved = (model.weight - before).norm()
    assert 0 < moved <= 1.001e-4


@pytest.mark.gpu
def test_gpu_scales_float16():
    model, optim = wrapper(loss_scale=512.0)
    model.cuda()
    optim.optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with optim.optim_context(model):
        out = model(torch.ones(2, 3).cuda())
        assert out.dtype is torch.float16
    optim.update_params(out.float().mean())
    assert optim.state_dict()['loss_scaler']['scale'] == 512.0
