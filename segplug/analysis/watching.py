"""Standing between a module and its ``forward``, for as long as one looks at it."""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from torch import nn

Forward = Callable[..., object]


@contextmanager
def watched(modules: Mapping[str, nn.Module], wrap: Callable[[str, Forward], Forward],
            plainly: bool = False) -> Iterator[None]:
    """While open, each module computes by ``wrap(name, its forward)``.

    Hooks would not do: heads call ``forward`` themselves.

    Args:
        modules: By their names.
        wrap: Makes what is called in place of ``forward``.
        plainly: Whether nobody may take a short way past a module, by its weights alone: such ways
            are not taken past what has hooks.
    """
    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(_put, module, module.__dict__.get('forward'))
            forward = module.forward
            _put(module, functools.wraps(forward)(wrap(name, forward)))
            if plainly:
                stack.callback(module.register_forward_hook(_nothing).remove)
        yield


def _put(module: nn.Module, forward: Forward | None) -> None:
    """Let ``module`` compute by ``forward``; None is its class's own."""
    if forward is None:
        module.__dict__.pop('forward', None)
    else:
        module.__dict__['forward'] = forward


def _nothing(module: nn.Module, inputs, output) -> None:
    """A hook that is there."""
