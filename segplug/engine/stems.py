"""Weights that were trained on colour images, for images of another number of channels.

A convolution of the network that reads three channels in the checkpoint and C in the model, and
is otherwise the same, is a stem: no convolution further in has three.
"""

import torch
from torch import Tensor

_COLOURS = 3


def spread(weight: Tensor, channels: int) -> Tensor:
    """(O, 3, h, w) -> (O, channels, h, w): the sum of the three, shared out evenly.

    An image whose channels are equal is answered as before, whatever ``channels``; for one
    channel this is timm's rule (`adapt_input_conv`), for more it prefers none, because their
    order is not known.
    """
    mean = weight.sum(dim=1, keepdim=True, dtype=torch.float32) / channels
    return mean.to(weight.dtype).repeat(1, channels, 1, 1)


def adapt_stems(model_state: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, int]:
    """Change, in ``weights``, the stems that differ from the model's in channels alone.

    Args:
        model_state: The model's state dict.
        weights: The checkpoint's, changed in place.

    Returns:
        The channels of each stem that was changed, by name.
    """
    changed = {}
    for name, ours in model_state.items():
        theirs = weights.get(name)
        if theirs is None or theirs.ndim != 4 or theirs.shape[1] != _COLOURS:
            continue
        channels = ours.shape[1] if ours.ndim == 4 else 0
        if channels != _COLOURS and ours.shape == (len(theirs), channels, *theirs.shape[2:]):
            weights[name] = spread(theirs, channels)
            changed[name] = channels
    return changed
