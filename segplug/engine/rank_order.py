"""Gradients summed in the order of the ranks, so that a resumed run of three or more is exact.

DistributedDataParallel sums gradients in buckets, which it lays out anew after the first iteration
of every start. The place of a number in its bucket decides in which order the ranks' values are
added, so the first iteration after a resume rounds otherwise than the same iteration of a run that
went on. With two ranks there is one order only.
"""

import torch
import torch.distributed as dist
from torch.futures import Future
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel

# torch 2.13 calls ``all_gather_into_tensor`` deprecated in favour of ``all_gather_single``.
_all_gather = getattr(dist, 'all_gather_single', dist.all_gather_into_tensor)


def keep_rank_order(model: Module, device: str) -> None:
    """Sum the gradients of a wrapped model in rank order, where exact runs are promised.

    That is with three ranks or more on the CPU, and on other devices under
    ``randomness.deterministic``: without it their kernels round in changing orders anyway, and the
    sums that torch overlaps with the backward pass are quicker.
    """
    if not isinstance(model, DistributedDataParallel) or dist.get_world_size() < 3:
        return
    if device == 'cpu' or torch.are_deterministic_algorithms_enabled():
        model.register_comm_hook(model.process_group, _mean)


def mean_in_rank_order(values: torch.Tensor, group: dist.ProcessGroup | None = None
                       ) -> torch.Tensor:
    """The mean over the ranks of a 1-D tensor, the same bits wherever a number stands in it.

    Each rank adds up one share of the positions, rank 0 first, and hands the sums to all: as many
    bytes are sent as by a ring.
    """
    world = dist.get_world_size(group)
    share = -(-values.numel() // world)
    padded = values.new_zeros(world * share)
    padded[:values.numel()] = values
    of_ranks = torch.empty_like(padded)
    dist.all_to_all_single(of_ranks, padded, group=group)
    total, *others = of_ranks.view(world, share)
    for one in others:
        total += one
    total /= world
    _all_gather(padded, total, group=group)
    return padded[:values.numel()]


def _mean(group: dist.ProcessGroup, bucket: dist.GradBucket) -> Future[torch.Tensor]:
    """`mean_in_rank_order` in the form of a communication hook."""
    done = Future()
    done.set_result(mean_in_rank_order(bucket.buffer(), group))
    return done
