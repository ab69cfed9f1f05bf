"""Sizes of maps while a graph is recorded, by `torch.export` or `torch.jit.trace`, for any size.

They are then symbols, and what makes a number of one, ``int()``, a comparison or ``len()`` of a
tensor, writes the size that it was recorded at into the graph, which is wrong at every other.
"""

import math

import torch


def is_known(*sizes) -> bool:
    """Whether all of these are numbers, and none is a symbol."""
    return not any(isinstance(size, torch.SymInt | torch.Tensor) for size in sizes)


def whole(size):
    """A length as an int, a symbol as it is."""
    return int(size) if is_known(size) else size


def scaled(size, factor: float):
    """``size`` times ``factor``, rounded down; a symbol gives a symbol."""
    if is_known(size):
        return int(size * factor)
    if factor == int(factor):
        return size * int(factor)
    if isinstance(size, torch.Tensor):
        return (size * factor).long()
    return math.floor(size * factor)


def top_left(x: torch.Tensor, height, width) -> torch.Tensor:
    """The first ``height`` rows and ``width`` columns of (N, C, H, W); it has no fewer.

    What a slice by symbols gives depends on whether anything is cut, which a graph for any size
    cannot tell.
    """
    if is_known(height, width) or torch.jit.is_tracing():
        return x[:, :, :height, :width]
    rows, cols = (torch.arange(size, device=x.device) for size in (height, width))
    return x.index_select(2, rows).index_select(3, cols)
