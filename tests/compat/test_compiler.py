"""torch's optimizers do the same with and without its compiler, and leave it alone until then."""

import json
import subprocess
import sys

import pytest
import torch

from segplug.compat import compiler

STEPS = """
import json, sys, torch
{first}
found = {{}}
for name in ('SGD', 'Adam', 'AdamW', 'Adagrad', 'Adadelta', 'Adamax', 'ASGD', 'NAdam', 'RAdam',
             'RMSprop', 'Rprop', 'LBFGS', 'SparseAdam'):
    weight = torch.nn.Parameter(torch.tensor([3., -1.]))
    optimizer = getattr(torch.optim, name)([weight], lr=0.1)
    for _ in range(2):
        def closure():
            optimizer.zero_grad()
            loss = (weight * weight).sum()
            loss.backward()
            if name == 'SparseAdam':
                weight.grad = weight.grad.to_sparse()
            return loss
        if name == 'LBFGS':
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    found[name] = [*weight.tolist(), torch.is_grad_enabled()]
print(json.dumps([found, 'torch._dynamo' in sys.modules]))
"""
MENDED = 'from segplug.compat.compiler import optimizers_without_compiler as f; f(); f()'


def after(first: str) -> list:
    """[what each optimizer made of its weight, whether the compiler was imported]"""
    done = subprocess.run([sys.executable, '-W', 'error', '-c', STEPS.format(first=first)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_torch_imports_its_compiler_for_an_optimizer():
    """The fault: when this fails, the mend can go."""
    code = ('import sys, torch; torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1);'
            'print("torch._dynamo" in sys.modules)')
    assert subprocess.check_output([sys.executable, '-c', code], text=True).strip() == 'True'


def test_each_optimizer_steps_as_torch_lets_it():
    plain, _ = after('import torch._dynamo')
    mended, imported = after(MENDED)
    assert plain == mended
    assert not imported


def test_a_step_keeps_the_mode_of_gradients(monkeypatch):
    seen = []

    def plain(self):
        seen.append(torch.is_grad_enabled())
        raise KeyError

    def torchs(self):
        raise AssertionError
    torchs.__wrapped__ = plain
    monkeypatch.setattr(compiler, '_COMPILER', 'no.such.module')
    step = compiler._breaking_later(torchs)
    for differentiable in (False, True):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1)
        optimizer.defaults['differentiable'] = differentiable
        with pytest.raises(KeyError):
            step(optimizer)
        with torch.no_grad(), pytest.raises(KeyError):
            step(optimizer)
        assert torch.is_grad_enabled()
    assert seen == [False, False, True, True]
    monkeypatch.setattr(compiler, '_COMPILER', 'torch')
    with pytest.raises(AssertionError):  # the compiler is there: torch's own step
        step(optimizer)


def test_other_decorators_are_left_alone():
    def unknown(self):
        self.graph_break().something_else()
    unknown.__wrapped__ = print
    assert not compiler._breaks_graphs(unknown)
    assert not compiler._breaks_graphs(test_other_decorators_are_left_alone)
    compiler._disabled_later(unknown)
    assert not hasattr(print, '__dynamo_disable')


def test_what_is_compiled_later_is_told_as_torch_tells_it():
    code = f"""
import torch
{MENDED}
weight = torch.nn.Parameter(torch.tensor([3.]))
optimizer = torch.optim.Adam([weight], lr=0.1)

def step():
    optimizer.zero_grad()
    (weight * weight).sum().backward()
    optimizer.step()

step()
compiled = torch.compile(step, backend='eager')
compiled()
compiled()
adder = torch.optim.Optimizer.add_param_group.__wrapped__
optimizer.add_param_group(dict(params=[torch.nn.Parameter(torch.ones(1))]))
assert vars(adder)['__dynamo_disable'].__module__ != 'segplug.compat.compiler'
print(weight.item())
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Adam's steps are 0.1 each while the sign of the gradient stays.
    assert float(done.stdout) == pytest.approx(2.7, abs=1e-3)
