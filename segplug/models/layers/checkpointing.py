"""Gradient checkpointing of a block, in one place: less memory, more time, the same numbers."""

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def run_block(block: nn.Module, function: Callable[[torch.Tensor], torch.Tensor],
              x: torch.Tensor) -> torch.Tensor:
    """``function(x)``; with ``block.with_cp`` its insides are computed again in the backward pass.

    Args:
        block: Holds the layers that ``function`` applies, and ``with_cp``.
        function: What the block does.
        x: What comes in, any shape, float.
    """
    if not (block.with_cp and torch.is_grad_enabled()):
        return function(x)
    return checkpoint(function, x, use_reentrant=False, context_fn=lambda: (
        contextlib.nullcontext(), _statistics_kept(block)))


@contextlib.contextmanager
def _statistics_kept(module: nn.Module) -> Iterator[None]:
    """Batch norms in ``module`` use the batch, as in training, without moving their averages.

    The recomputation of a checkpoint would otherwise move the running statistics twice.
    """
    norms = [m for m in module.modules()
             if isinstance(m, _BatchNorm) and m.training and m.track_running_stats]
    before = [(norm.momentum, norm.num_batches_tracked.clone()) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, (momentum, num_batches) in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked.copy_(num_batches)
