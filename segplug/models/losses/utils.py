"""What losses share: class weights from a config or a file, and reduction with weights."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml

from ...errors import ConfigError, ShapeError

REDUCTIONS = ('none', 'mean', 'sum')


def get_class_weight(class_weight: list[float] | str | None) -> list[float] | None:
    """Class weights, read from a .npy, .json or .yaml file if a name is given."""
    if not isinstance(class_weight, str):
        return class_weight
    try:
        if class_weight.endswith('.npy'):
            return np.load(class_weight, allow_pickle=False).tolist()
        if class_weight.endswith('.json'):
            return json.loads(Path(class_weight).read_text(encoding='utf-8'))
        if class_weight.endswith(('.yaml', '.yml')):
            return yaml.safe_load(Path(class_weight).read_text(encoding='utf-8'))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f'The class weights cannot be read: {error}.', got=class_weight,
                          expected='a file with one number per class',
                          culprit=class_weight) from error
    # A pickle would run whatever code its author put in.
    raise ConfigError('Class weights come from a .npy, .json or .yaml file.', got=class_weight,
                      culprit=class_weight)


def check_reduction(reduction: str) -> None:
    """Raise ConfigError for a reduction that is not known."""
    if reduction not in REDUCTIONS:
        raise ConfigError('A loss cannot be reduced in this way.', got=repr(reduction),
                          expected=f'one of {REDUCTIONS}', culprit='reduction')


def reduce_loss(loss: torch.Tensor, reduction: str) -> torch.Tensor:
    """A loss of any shape by 'none', 'mean' or 'sum'."""
    check_reduction(reduction)
    return loss if reduction == 'none' else loss.mean() if reduction == 'mean' else loss.sum()


def weight_reduce_loss(loss: torch.Tensor, weight: torch.Tensor | None = None,
                       reduction: str = 'mean',
                       avg_factor: float | torch.Tensor | None = None) -> torch.Tensor:
    """Weigh a loss by element and reduce it.

    Args:
        loss: Any shape, float.
        weight: As many axes as ``loss``, and broadcasts to it.
        reduction: 'none', 'mean' or 'sum'.
        avg_factor: What 'mean' divides by instead of the number of elements. Zero, as for a
            batch that is ignored as a whole, gives a loss of zero.

    Raises:
        ConfigError: For an unknown reduction, or ``avg_factor`` with 'sum'.
        ShapeError: If the weight does not fit.
    """
    if weight is not None:
        if weight.ndim not in (0, loss.ndim) or any(
                a not in (1, b) for a, b in zip(weight.shape, loss.shape, strict=False)):
            raise ShapeError('The weight of a loss does not fit it.', got=tuple(weight.shape),
                             expected=f'{tuple(loss.shape)}, or 1 in place of a length')
        loss = loss * weight
    if reduction == 'none' or avg_factor is None:
        return reduce_loss(loss, reduction)
    if reduction != 'mean':
        raise ConfigError('avg_factor is what a mean divides by.', got=f'{reduction!r} with '
                          'avg_factor', expected="'mean'", culprit='reduction')
    return loss.sum() / torch.as_tensor(avg_factor, device=loss.device).clamp(
        min=torch.finfo(torch.float32).eps)


def weighted_loss(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Decorate a loss of elements, so that it takes ``weight``, ``reduction`` and ``avg_factor``.

    ``function(pred, target, **options)`` gives the loss without them; see `weight_reduce_loss`.
    Ours do without; third-party losses are written with it.
    """
    @functools.wraps(function)
    def reduced(pred: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None,
                reduction: str = 'mean', avg_factor: float | torch.Tensor | None = None,
                **options) -> torch.Tensor:
        return weight_reduce_loss(function(pred, target, **options), weight, reduction,
                                  avg_factor)
    return reduced
