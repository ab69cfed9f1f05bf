"""What each module of a network costs: parameters, multiply-adds, memory.

Everything is counted while the network runs, on torch's meta device where it can, which knows
shapes and computes nothing. So it is right for functions and shared modules too, and there is
one counter, torch's. The definitions:

- A multiply-add is one product and one sum, half of what torch's counter calls its operations.
  Counted are convolutions (grouped and transposed ones too) and matrix products: linear layers,
  attention, einsum. Not counted are norms, activations, sums, pooling and resizing: together one
  in a thousand with a ResNet-50, two or three in a hundred of light networks.
- What training keeps: the bytes of the distinct storages that autograd saves for the backward
  pass (`torch.autograd.graph.saved_tensors_hooks`), without parameters, buffers and the images. A
  storage belongs to the module that saves it first.
- The peak of a prediction: the most bytes of tensors that exist at once, without parameters,
  buffers, the images and what a kernel takes for itself.
- Attention is two matrix products and a softmax between, in memory too, on every device. Fused
  kernels have no such matrix of tokens by tokens, and keep less.

Letters: N batch, C channels, H W pixels.
"""

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from .watching import watched

Run = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A module, with all that is in it.

    Attributes:
        name: Its path, as 'backbone.layer1.0'; '' is the whole network.
        type: Its class.
        parameters: Numbers that it learns; those that it shares with itself count once.
        multiply_adds: Of one prediction.
        kept_bytes: What training keeps of it; None where that was not measured.
        output: Shapes of what it gave last, as '2x64x32x64'; '' where it did not run.
    """

    name: str
    type: str
    parameters: int
    multiply_adds: int
    kept_bytes: int | None
    output: str

    @property
    def depth(self) -> int:
        """0 for the network, 1 for its parts, ..."""
        return self.name.count('.') + 1 if self.name else 0


@dataclass
class Forward:
    """What one forward pass without gradients costs.

    Attributes:
        multiply_adds: By the path of the module; '' is all, functions outside modules too.
        outputs: Shapes of what each module gave last.
        peak_bytes: Most bytes of tensors at once.
        peak_in: The innermost module that ran then; '' where none did.
        uncounted: Operators of other libraries, whose work torch does not know -> their calls.
    """

    multiply_adds: Counter = field(default_factory=Counter)
    outputs: dict[str, str] = field(default_factory=dict)
    peak_bytes: int = 0
    peak_in: str = ''
    uncounted: Counter = field(default_factory=Counter)


@contextmanager
def counting() -> Iterator[FlopCounterMode]:
    """torch's counter, with attention as matrix products: it does not know a CPU's own kernels."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@torch.no_grad()
def multiply_adds(run: Run) -> int:
    """What ``run()`` multiplies and adds."""
    with counting() as counter:
        run()
    return counter.get_total_flops() // 2


@torch.no_grad()
def forward_cost(model: nn.Module, run: Run) -> Forward:
    """What one pass costs, module by module.

    Args:
        model: In eval mode.
        run: Calls it once.
    """
    cost = Forward()
    with counting() as counter:
        walk = _Walk(model, lambda: counter.get_total_flops() // 2)
        live = _LiveTensors(model, lambda: walk.innermost)
        with walk, live:
            run()
    cost.multiply_adds, cost.outputs = walk.found, walk.outputs
    cost.multiply_adds[''] = counter.get_total_flops() // 2
    cost.peak_bytes, cost.peak_in = live.peak, live.peak_in
    cost.uncounted = live.foreign
    return cost


def kept_bytes(model: nn.Module, run: Run, given: Tensor | None = None) -> Counter:
    """What autograd keeps for the backward pass, by the path of the module; '' is all.

    Args:
        model: In training mode.
        run: Calls it once, with gradients.
        given: The images, which are not counted.
    """
    known = [*model.parameters(), *model.buffers(), *([] if given is None else [given])]
    seen = {_storage(tensor)._cdata: _storage(tensor) for tensor in known}
    total = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal total
        storage = _storage(tensor)
        if storage is not None and storage._cdata not in seen:
            seen[storage._cdata] = storage  # held, so that no other one gets its address
            total += storage.nbytes()
        return tensor

    walk = _Walk(model, lambda: total)
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), \
            torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), walk:
        result = run()
    del result
    walk.found[''] = total
    return walk.found


def rows(model: nn.Module, forward: Forward, kept: Counter | None = None) -> list[Row]:
    """A row for each module that holds parameters or costs anything, in the order of the model.

    What is not called itself, as a list of modules, costs what its parts cost.
    """
    names = [name for name, _ in model.named_modules()]
    adds = _with_containers(names, forward.multiply_adds)
    kept = None if kept is None else _with_containers(names, kept)
    found = []
    for name, module in model.named_modules():
        row = Row(name, type(module).__name__, sum(p.numel() for p in module.parameters()),
                  adds[name], None if kept is None else kept[name],
                  forward.outputs.get(name, ''))
        if not name or row.parameters or row.multiply_adds or row.kept_bytes:
            found.append(row)
    return found


def _with_containers(names: list[str], found: Counter) -> Counter:
    """``found``, and sums over the parts for those of ``names`` that it does not know."""
    whole = Counter(found)
    for name in sorted(names, key=lambda name: -name.count('.')):
        parent = name.rpartition('.')[0]
        if name and parent not in found:
            whole[parent] += whole[name]
    return whole


class _Walk:
    """While it is open: which module runs, and how far ``meter`` moves in each.

    Args:
        model: Whose modules are watched.
        meter: The sum so far of what is measured.

    Attributes:
        found: What was added while a module ran, by its path; of several calls the sum.
        outputs: Shapes of its last output.
        innermost: The module that runs now, '' for none.
    """

    def __init__(self, model: nn.Module, meter: Callable[[], int]) -> None:
        self._meter = meter
        self._running: list[str] = []
        self._watching = watched(dict(model.named_modules()), self._metered)
        self.found, self.outputs = Counter(), {}

    @property
    def innermost(self) -> str:
        return self._running[-1] if self._running else ''

    def __enter__(self) -> '_Walk':
        self._watching.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._watching.__exit__(*error)

    def _metered(self, name: str, forward: Callable) -> Callable:
        def metered(*args, **kwargs):
            self._running.append(name)
            before = self._meter()
            output = forward(*args, **kwargs)
            self._running.pop()
            self.found[name] += self._meter() - before
            self.outputs[name] = _shapes(output)
            return output
        return metered


class _LiveTensors(TorchDispatchMode):
    """Bytes of the storages that operators make, from their making to their end.

    Args:
        model: Its parameters and buffers are there before and do not count.
        innermost: Says which module runs.

    Attributes:
        peak, peak_in: The most at once, and the module that ran then.
        foreign: Calls of operators that are not torch's own.
    """

    def __init__(self, model: nn.Module, innermost: Callable[[], str]) -> None:
        super().__init__()
        self._innermost = innermost
        self._sizes = {_storage(t)._cdata: 0 for t in (*model.parameters(), *model.buffers())}
        self._now = self.peak = 0
        self.peak_in = ''
        self.foreign: Counter = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        inputs = {_storage(t)._cdata for t in tree_leaves((args, kwargs)) if _has_storage(t)}
        output = func(*args, **(kwargs or {}))
        if func.namespace not in ('aten', 'prim', 'prims', 'profiler', 'inductor', 'debugprims'):
            self.foreign[f'{func.namespace}.{func._opname}'] += 1
        for tensor in tree_leaves(output):
            # A view of something that was there before has its storage.
            if _has_storage(tensor) and _storage(tensor)._cdata not in inputs:
                self._add(_storage(tensor))
        return output

    def _add(self, storage) -> None:
        key = storage._cdata
        if key in self._sizes:
            return
        self._sizes[key] = storage.nbytes()
        self._now += self._sizes[key]
        weakref.finalize(storage, self._drop, key)
        if self._now > self.peak:
            self.peak, self.peak_in = self._now, self._innermost()

    def _drop(self, key: int) -> None:
        self._now -= self._sizes.pop(key)


def _has_storage(value) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided


def _storage(tensor: Tensor):
    return tensor.untyped_storage() if _has_storage(tensor) else None


def _shapes(output) -> str:
    """'1x19x64x64'; of several tensors each, but not more than four."""
    shapes = ['x'.join(map(str, t.shape)) for t in tree_leaves(output) if isinstance(t, Tensor)]
    return ', '.join(shapes[:4]) + (', ...' if len(shapes) > 4 else '')
