"""What losses share: class weights from a config or a file, and reduction with weights."""

import numpy as np
import torch
from mmengine.fileio import load

from ...errors import ConfigError

REDUCTIONS = ('none', 'mean', 'sum')

def get_class_weight(class_weight: list[float] | str | None) -> list[float] | None:
    """Class weights, read from a .npy, .json or .yaml file if a name is given."""
    if not isinstance(class_weight, str):
        return class_weight
    try:
        if class_weight.endswith('.npy'):
            return np.load(class_weight, allow_pickle=False).tolist()
        if class_weight.endswith(('.json', '.yaml', '.yml')):
            return load(class_weight)
    except (OSError, ValueError) as error:
        raise ConfigError(f'The class weights cannot be read: {error}.', got=class_weight,
                          expected='a file with one number per class',
                          culprit=class_weight) from error
    # A pickle would run whatever code its author put in.
    raise ConfigError('Class weights come from a .npy, .json or .yaml file.', got=class_weight,
                      culprit=class_weight)


def weight_reduce_loss(loss: torch.Tensor, weight: torch.Tensor | None = None,
                       reduction: str = 'mean',
                       avg_factor: float | torch.Tensor | None = None) -> torch.Tensor:
    """Weigh a loss by element and reduce it.

    Args:
        loss: Any shape, float.
        weight: Broadcasts to ``loss``.
        reduction: 'none', 'mean' or 'sum'.
        avg_factor: What 'mean' divides by instead of the number of elements. Zero, as for a
            batch that is ignored as a whole, gives a loss of zero.

    Raises:
        ConfigError: For an unknown reduction, or ``avg_factor`` with 'sum'.
    """
    if weight is not None:
        loss = loss * weight
    if reduction == 'none':
        return loss
    if reduction == 'sum' and avg_factor is None:
        return loss.sum()
    if reduction != 'mean':
        raise ConfigError('A loss cannot be reduced in this way.', got=f'{reduction!r}'
                          + (' with avg_factor' if avg_factor is not None else ''),
                          expected="'none', 'mean' or 'sum', and avg_factor only with 'mean'",
                          culprit='reduction')
    if avg_factor is None:
        return loss.mean()
    return loss.sum() / torch.as_tensor(avg_factor, device=loss.device).clamp(
        min=torch.finfo(torch.float32).eps)
