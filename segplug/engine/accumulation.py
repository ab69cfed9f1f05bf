"""Gradients whose step is still to come, so that a run may stop between the batches of a step.

mmengine drops them: a run with ``accumulative_counts`` that resumes between two steps goes on
without the batches before. Each rank has its own until the step exchanges them.
"""

import logging

import torch
import torch.distributed as dist
from mmengine.dist import get_dist_info
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

MMENGINE_WARNS = 'Resumed iteration number is not divisible'


def pending(optim_wrapper: OptimWrapper) -> bool:
    """Whether batches were propagated whose step is still to come."""
    if isinstance(optim_wrapper, OptimWrapperDict):
        return any(pending(one) for one in optim_wrapper.values())
    return not optim_wrapper.should_update()


def may_hold(optim_wrapper: OptimWrapper) -> bool:
    """Whether gradients may wait for a step: of several optimizers, each clears its own weights'
    only, and a loss of the one leaves some at those of the other."""
    return isinstance(optim_wrapper, OptimWrapperDict) or pending(optim_wrapper)


def counts(optim_wrapper: OptimWrapper) -> dict[str, int]:
    """How many batches each of several optimizers has had, which mmengine does not count anew for a
    resumed run as for a single one; empty for that."""
    if not isinstance(optim_wrapper, OptimWrapperDict):
        return {}
    return {name: one._inner_count for name, one in optim_wrapper.items()}


def restore_counts(optim_wrapper: OptimWrapper, saved: dict[str, int]) -> None:
    """Take over what `counts` gave."""
    for name, count in saved.items():
        optim_wrapper[name]._inner_count = int(count)


def gather(model: nn.Module) -> list[dict[str, Tensor]]:
    """The gradients of each rank by parameter name, on the CPU; on other ranks than 0 nothing.

    Every rank calls this at the same time. A gradient that only some ranks have is 0 on the others.
    """
    parameters = dict(model.named_parameters())
    rank, world_size = get_dist_info()
    parts: list[dict[str, Tensor]] = [{} for _ in range(world_size)] if rank == 0 else []
    for name, held in zip(parameters, _held(list(parameters.values()), world_size), strict=True):
        if not held:
            continue
        parameter = parameters[name]
        own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        received = [torch.empty_like(own) for _ in parts] if rank == 0 else None
        if world_size > 1:
            dist.gather(own, received)
        else:
            received = [own]
        for part, gradient in zip(parts, received or (), strict=True):
            part[name] = gradient.detach().cpu().clone()
    return parts


def _held(parameters: list[nn.Parameter], world_size: int) -> list[int]:
    """For each parameter 1 if any rank has a gradient of it, else 0."""
    held = [int(parameter.grad is not None) for parameter in parameters]
    if world_size == 1:
        return held
    everywhere = torch.tensor(held, dtype=torch.int32, device=parameters[0].device)
    dist.all_reduce(everywhere, dist.ReduceOp.MAX)
    return everywhere.tolist()


def restore(model: nn.Module, saved: list[dict[str, Tensor]]) -> None:
    """Give each parameter the gradient that this rank had.

    With another number of ranks each gets their mean, which is what the step makes of them.
    """
    rank, world_size = get_dist_info()
    for name, parameter in model.named_parameters():
        gradients = [part[name] for part in saved if name in part]
        if gradients:
            gradient = gradients[rank] if len(saved) == world_size else sum(gradients) / len(saved)
            parameter.grad = gradient.to(parameter, copy=True)


def not_lost(record: logging.LogRecord) -> bool:
    """A filter of logs that takes away mmengine's warning of gradients that were restored."""
    return not record.getMessage().startswith(MMENGINE_WARNS)
