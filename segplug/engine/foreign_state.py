"""A state that this run did not write, or that was changed since: one sentence instead of a failure
deep inside an optimizer, and before any iteration.

Bytes that were damaged by chance never come here: a checkpoint carries check sums.
"""

import contextlib
import os
from collections.abc import Iterator
from numbers import Real

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor
from torch.optim import Optimizer

from ..errors import CheckpointError, SegplugError

# What optimizers keep for each weight in the weight's own shape.
_LIKE_WEIGHTS = {'momentum_buffer', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq', 'square_avg', 'sum'}
# What every scheduler of mmengine counts with.
_NUMBERS = {'begin', 'end', 'last_step', '_global_step', 'base_values', '_last_value'}
_FAILURES = (TypeError, ValueError, LookupError, AttributeError, AssertionError, RuntimeError)


@contextlib.contextmanager
def restoring(filename: str | os.PathLike) -> Iterator[None]:
    """What fails inside is a checkpoint whose state does not fit this run.

    Raises:
        CheckpointError: Naming the file and what was said.
    """
    try:
        yield
    except SegplugError:
        raise
    except _FAILURES as error:
        text = ' '.join(str(error).split())
        raise CheckpointError(
            f'{filename} holds a state of another run, or a changed one: {type(error).__name__}'
            f'{": " if text else ""}{text.rstrip(".")}.', culprit=str(filename),
            fix='resume with the config that wrote it; or use load_from without --resume to '
                'start from its weights') from error


def check_optimizers(wrapper: OptimWrapper | OptimWrapperDict) -> None:
    """Raise for settings and momenta that an optimizer would fail with in its first step.

    Raises:
        ValueError: A setting is missing or no number, or a momentum has not its weight's shape.
    """
    for one in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
        _check(one.optimizer)


def check_schedulers(schedulers: list | dict) -> None:
    """Raise for a state that a scheduler would fail with in its first step.

    Args:
        schedulers: As a runner holds them: a list, or one for each optimizer by name.

    Raises:
        ValueError: A count or a value is no number.
    """
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    for scheduler in (one for group in groups for one in group):
        for key, value in scheduler.state_dict().items():
            for part in value if isinstance(value, list | tuple) else [value]:
                if not _is_number(part) and (key in _NUMBERS or isinstance(part, Tensor)):
                    raise ValueError(f'{type(scheduler).__name__} has {key}={value!r}')


def _check(optimizer: Optimizer) -> None:
    for number, group in enumerate(optimizer.param_groups):
        for key, default in optimizer.defaults.items():
            if key not in group:
                raise ValueError(f'group {number} of the optimizer has no {key!r}')
            if isinstance(default, Real) and not _is_number(group[key]):
                raise ValueError(f'group {number} of the optimizer has {key}={group[key]!r}')
        for key, value in group.items():
            if isinstance(value, Tensor) and not _is_number(value):
                raise ValueError(f'group {number} of the optimizer has {key}={value!r}')
        if not type(optimizer).__module__.startswith('torch.optim'):
            continue  # may keep its momenta in a lower rank
        for weight in group['params']:
            for key, value in optimizer.state.get(weight, {}).items():
                if key in _LIKE_WEIGHTS and value is not None and (
                        getattr(value, 'shape', None) != weight.shape):
                    raise ValueError(f'{key} of group {number} is not of the shape '
                                     f'{tuple(weight.shape)} of its weight')


def _is_number(value) -> bool:
    return isinstance(value, Real) or (
        isinstance(value, Tensor) and value.layout is torch.strided and value.numel() == 1)
