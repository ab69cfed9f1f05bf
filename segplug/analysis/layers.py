"""What the layers of a network give: found by name, recorded while it runs, seen as maps.

A name is the path of a module as the state dict has it, 'backbone.layer4.1'; 'backbone.layer4[1]'
is the same. Of a module that gives several maps, as a backbone does, ':' names one by number:
'backbone:3', or 'backbone:-1' for the last.
Letters: N batch, C channels, H W pixels of the input, h w cells, L tokens.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from ..errors import ConfigError, nearest
from .watching import watched


@dataclass(frozen=True)
class Layer:
    """A module, or one of the tensors that it gives.

    Attributes:
        name: As it was asked for.
        path: Of the module.
        number: Which of its tensors; None takes all.
    """

    name: str
    path: str
    number: int | None = None


def layer_of(model: nn.Module, name: str) -> Layer:
    """What ``name`` means.

    Args:
        model: Whose layer it is.
        name: As the file above says; blanks around it do not count.

    Raises:
        ConfigError: There is no such module, of which the nearest are named; or what follows ':'
            is no number.
    """
    path, colon, number = re.sub(r'\[(\d+)\]', r'.\1', name.strip()).partition(':')
    known = [known for known, _ in model.named_modules() if known]
    if path not in known:
        close = nearest(path, known, count=4) or [k for k in known if '.' not in k]
        raise ConfigError(f'The network has no layer {path!r}.', culprit=name,
                          expected=' or '.join(map(repr, close)),
                          fix="'list' in its place lists all")
    if colon and not re.fullmatch(r'-?\d+', number):
        raise ConfigError(f'{name!r} does not say which of the tensors is meant.', culprit=name,
                          expected=f"a number, as in '{path}:0'")
    return Layer(name, path, int(number) if colon else None)


@contextmanager
def recorded(model: nn.Module, layers: Sequence[Layer], leaves: bool = False
             ) -> Iterator[dict[str, list[Tensor]]]:
    """While open, what ``layers`` give is kept; of several calls, the last.

    What follows gets a copy, so that a layer that works in place does not change what is kept.

    Args:
        model: Whose layers they are.
        layers: From `layer_of`.
        leaves: Whether the tensors are kept as leaves with gradients: what lies before them is cut
            off, and `torch.autograd.grad` of what lies behind stops at them.

    Yields:
        Name of the layer -> the tensors that it gave.
    """
    found: dict[str, list[Tensor]] = {}

    def keeping(path: str, forward: Callable) -> Callable:
        def keep(*args, **kwargs):
            values, form = tree_flatten(forward(*args, **kwargs))
            kept = [_kept(value, leaves) for value in values]
            tensors = [value for value in kept if isinstance(value, Tensor)]
            for layer in layers:
                if layer.path == path:
                    found[layer.name] = _chosen(layer, tensors)
            return tree_unflatten([value.clone() if isinstance(value, Tensor) else value
                                   for value in kept], form)
        return keep

    modules = {layer.path: model.get_submodule(layer.path) for layer in layers}
    with watched(modules, keeping, plainly=True):
        yield found


def _kept(value, leaves: bool):
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    return value.detach().requires_grad_() if leaves else value


def _chosen(layer: Layer, tensors: list[Tensor]) -> list[Tensor]:
    if layer.number is None:
        return tensors
    if not -len(tensors) <= layer.number < len(tensors):
        raise ConfigError(f'{layer.path!r} gives no tensor {layer.number}.', culprit=layer.name,
                          expected=f'0 to {len(tensors) - 1}')
    return [tensors[layer.number]]


def output_shapes(model: nn.Module, run: Callable[[], object]
                  ) -> list[tuple[str, str, list[tuple[int, ...]]]]:
    """(path, class, shapes of what it gave last) of each module that ``run()`` calls, in the
    order of the model."""
    found: dict[str, list[tuple[int, ...]]] = {}

    def telling(path: str, forward: Callable) -> Callable:
        def tell(*args, **kwargs):
            output = forward(*args, **kwargs)
            found[path] = [tuple(t.shape) for t in tree_leaves(output) if isinstance(t, Tensor)]
            return output
        return tell

    modules = {path: module for path, module in model.named_modules() if path}
    with watched(modules, telling, plainly=True):
        run()
    return [(path, type(module).__name__, found[path]) for path, module in modules.items()
            if path in found]


def as_map(values: Tensor, size: tuple[int, int]) -> Tensor | None:
    """What a layer gives, as a map.

    Args:
        values: (1, C, h, w), or tokens (1, L, C) of a transformer: L = h w cells in rows, perhaps
            with a class token before them.
        size: (H, W) of the network's input, whose shape the tokens' map has.

    Returns:
        (C, h, w), or None where it is no map.
    """
    if values.ndim == 4 and len(values) == 1:
        return values[0]
    if values.ndim != 3 or len(values) != 1:
        return None
    for skipped in (0, 1):
        grid = _grid(values.shape[1] - skipped, size)
        if grid is not None:
            return values[0, skipped:].T.reshape(-1, *grid)
    return None


def _grid(cells: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """(h, w) of so many square cells over (H, W), of some stride, rounded up or down."""
    for stride in range(1, min(size) + 1):
        for grid in ((-(-size[0] // stride), -(-size[1] // stride)),
                     (size[0] // stride, size[1] // stride)):
            if grid[0] * grid[1] == cells:
                return grid
    return None
