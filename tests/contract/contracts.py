"""What the contracts of segplug's own components add to those of everybody's (segplug/contract):
that there is a row for each, and that neither the memory format nor bf16 autocast changes what
a part of a network computes.

How far rounding moves a result depends on the network: a steep gate, or a batch norm over few
values, makes a large difference of a small one. So the yardstick is the network itself, in float32
with its weights and what each of its layers gives rounded to bf16 (`layers_rounded`). Autocast
rounds at the same places and may err as much; a sum, or a difference of large numbers, that should
not have been in half precision errs more. What channels_last changes is the order of float32 sums.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from weights import fill

from segplug.contract.nets import changed, channels_last, tensors
from segplug.registry import MODELS

BF16_SLACK = 4  # times what rounding the layers does; with other images 0.3 to 2.4 were seen
LAYOUT_SLACK = 0.01  # times the same; up to 0.003 was seen


def registered(package: str) -> set[str]:
    """The names of every registered component that ``segplug.models.<package>`` brings."""
    return {name for name in MODELS.names() if getattr(MODELS.get(name), '__module__', '')
            .startswith(f'segplug.models.{package}.')}


def every(cases: list, checks: list):
    """A parametrisation: each check of each case that it applies to."""
    return pytest.mark.parametrize(('case', 'check'), [
        pytest.param(case, check, id=f'{check.name}-{case}') for case in cases
        for check in checks if check.why_not(case) is None])


def mirrored_by_chance(image, mask):
    """What `Albu` calls: an augmentation without a library."""
    return dict(image=image[:, ::-1], mask=mask[:, ::-1]) if np.random.rand() < 0.5 else \
        dict(image=image, mask=mask)


def filled(net: nn.Module) -> nn.Module:
    """``net`` with weights none of which is zero, as some are initially, and without dropout.

    With dropout no two runs are alike: the memory format alone changes which values it drops.
    """
    state = net.state_dict()
    values = fill({name: tuple(value.shape) for name, value in state.items()})
    net.load_state_dict({name: torch.as_tensor(values[name]) for name in state}, strict=True)
    for module in net.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0
    return net


def to_bf16(x):
    """Float32 with the digits of bf16; what is no float tensor stays."""
    return x.bfloat16().to(x) if isinstance(x, Tensor) and x.is_floating_point() else x


@contextmanager
def layers_rounded(net: nn.Module) -> Iterator[None]:
    """Meanwhile what each layer gives, those without layers inside them, is rounded to bf16."""
    hooks = [module.register_forward_hook(lambda module, args, out: to_bf16(out))
             for module in net.modules() if not any(True for _ in module.children())]
    yield
    for hook in hooks:
        hook.remove()


def computed(net: nn.Module, state: dict, run: Callable, inputs) -> list[Tensor]:
    """What ``run`` gives of ``net`` with these weights, as float32."""
    net.load_state_dict(state)
    torch.manual_seed(0)
    with torch.no_grad():
        return [out.float() for out in tensors(run(net, inputs))]


def distances(found: list[Tensor], wanted: list[Tensor]) -> list[float]:
    """Of each pair of results, mean |difference| over mean |wanted|."""
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        assert a.isfinite().all()
    return [((a - b).abs().mean() / b.abs().mean()).item()
            for a, b in zip(found, wanted, strict=True)]


def check_layout_and_precision(net: nn.Module, run: Callable, inputs) -> None:
    """That channels_last and bf16 autocast give the same as plain; see the head of this file.

    Args:
        net: The component, in the mode in which it is compared.
        run: (component, inputs) -> a tensor or a tree of them.
        inputs: A tensor or a tree of them.
    """
    weights = {name for name, _ in net.named_parameters()}
    state = {name: value.clone() for name, value in net.state_dict().items()}
    plain = computed(net, state, run, inputs)
    with torch.autocast('cpu', torch.bfloat16):
        by_bf16 = distances(computed(net, state, run, inputs), plain)
    coarse = {name: to_bf16(value) if name in weights else value for name, value in state.items()}
    with layers_rounded(net):
        yard = distances(computed(net, coarse, run, changed(inputs, to_bf16)), plain)
    by_layout = distances(computed(net.to(memory_format=torch.channels_last), state, run,
                                   changed(inputs, channels_last)), plain)
    for one, layout, bf16 in zip(yard, by_layout, by_bf16, strict=True):
        assert layout <= LAYOUT_SLACK * one
        assert bf16 <= BF16_SLACK * one
