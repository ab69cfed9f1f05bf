"""Between maps (N, C, H, W) and sequences of their pixels (N, L, C), L = H W.

``contiguous`` says whether the results lie in memory in the order of their axes.
"""

from collections.abc import Callable

import torch

from ...errors import ShapeError


def nlc_to_nchw(x: torch.Tensor, hw_shape: tuple[int, int]) -> torch.Tensor:
    """(N, L, C) -> (N, C, H, W).

    Raises:
        ShapeError: If L is not H W.
    """
    if x.dim() != 3 or x.shape[1] != hw_shape[0] * hw_shape[1]:
        raise ShapeError('A sequence does not fit the map.', got=tuple(x.shape),
                         expected=f'(N, L, C) with L = {hw_shape[0]} * {hw_shape[1]}')
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], *hw_shape)


def nchw_to_nlc(x: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, L, C).

    Raises:
        ShapeError: For another number of axes.
    """
    if x.dim() != 4:
        raise ShapeError('A map has four axes.', got=tuple(x.shape), expected='(N, C, H, W)')
    return x.flatten(2).transpose(1, 2).contiguous()


def nchw2nlc2nchw(module: Callable, x: torch.Tensor, contiguous: bool = False,
                  **kwargs) -> torch.Tensor:
    """``module(sequence, **kwargs)`` of a map, as a map of the same size."""
    sequence = x.flatten(2).transpose(1, 2)
    out = module(sequence.contiguous() if contiguous else sequence, **kwargs)
    out = out.transpose(1, 2).reshape(x.shape)
    return out.contiguous() if contiguous else out


def nlc2nchw2nlc(module: Callable, x: torch.Tensor, hw_shape: tuple[int, int],
                 contiguous: bool = False, **kwargs) -> torch.Tensor:
    """``module(map, **kwargs)`` of a sequence, as a sequence."""
    grid = nlc_to_nchw(x, hw_shape)
    out = module(grid.contiguous() if contiguous else grid, **kwargs).flatten(2).transpose(1, 2)
    return out.contiguous() if contiguous else out
