"""torch's optimizers leave its compiler alone until somebody imports that.

With torch 2.4 to 2.13, making an optimizer and taking a step import ``torch._dynamo``, a third of
a second, to tell it what not to compile. Until somebody else imports it nothing can be compiled,
and there is nothing to tell; from then on torch's own functions run. Tests:
``tests/compat/test_compiler.py``.
"""

import functools
import inspect
import sys
from collections.abc import Callable

import torch

_COMPILER = 'torch._dynamo'
_DISABLED = '__dynamo_disable'  # under which torch keeps what it told the compiler
# All that `Optimizer.step`'s decorator may use; one that does more is left alone.
_NAMES = {'torch', _COMPILER, '_dynamo', 'graph_break', 'is_grad_enabled', 'set_grad_enabled',
          'defaults', 'cast', 'Optimizer'}


def optimizers_without_compiler() -> None:
    """Let every optimizer of torch wait for somebody else to import the compiler."""
    base = torch.optim.Optimizer
    for name in ('add_param_group', 'zero_grad', 'state_dict', 'load_state_dict'):
        _disabled_later(getattr(base, name))
    for kind in list(vars(torch.optim).values()):
        if inspect.isclass(kind) and issubclass(kind, base):
            step = vars(kind).get('step')
            if inspect.isfunction(step) and _breaks_graphs(step):
                kind.step = _breaking_later(step)


def _disabled_later(function: Callable) -> None:
    """``function`` is torch's wrapper, which asks what it wraps for an attribute first."""
    inner = getattr(function, '__wrapped__', None)
    if inner is None or _DISABLED not in function.__code__.co_consts or hasattr(inner, _DISABLED):
        return

    def waiting(*args, **kwargs):
        if _COMPILER not in sys.modules:
            return inner(*args, **kwargs)
        vars(inner).pop(_DISABLED, None)
        return function(*args, **kwargs)

    setattr(inner, _DISABLED, waiting)


def _breaks_graphs(step: Callable) -> bool:
    names = set(step.__code__.co_names)
    return hasattr(step, '__wrapped__') and 'graph_break' in names and names <= _NAMES


def _breaking_later(step: Callable) -> Callable:
    """A step in the gradient mode that its optimizer wants, as torch's."""
    @functools.wraps(step)
    def waiting(self, *args, **kwargs):
        if _COMPILER in sys.modules:
            return step(self, *args, **kwargs)
        before = torch.is_grad_enabled()
        try:
            torch.set_grad_enabled(self.defaults['differentiable'])
            return step.__wrapped__(self, *args, **kwargs)
        finally:
            torch.set_grad_enabled(before)

    return waiting
