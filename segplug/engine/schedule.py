"""Who tests which image: each on exactly one process, so that processes end together.

Greedy longest-processing-time-first (Graham 1969): the costliest image left goes to the process
with least to do, which ends at most a third later than the best plan could, and in practice
within one small image. It is settled before the test. A queue that processes draw from while
they test would gain only where machines differ in speed, and would cost: no length of the loader
for hooks, no decoding ahead in workers, and another share in each run.
"""

import heapq
import os
from collections.abc import Sequence

from mmengine.dist import all_gather_object, get_dist_info

from .image_size import image_size
from .sampling import DefaultSampler


def share_out(costs: Sequence[int], num_shares: int) -> list[list[int]]:
    """Indices for each share, costliest first; of equal costs the smaller index comes first.

    Equal costs are dealt by turns: share r gets r, r + n, r + 2n ...

    Args:
        costs: Of each item, non-negative.
        num_shares: n, at least 1; shares may stay empty.
    """
    shares: list[list[int]] = [[] for _ in range(num_shares)]
    loads = [(0, share) for share in range(num_shares)]  # a heap: least load, then least share
    for index in sorted(range(len(costs)), key=lambda i: -costs[i]):
        load, share = loads[0]
        shares[share].append(index)
        heapq.heapreplace(loads, (load + costs[index], share))
    return shares


def deal_out(sampler, dataset) -> None:
    """Let a test sampler share the images out by their sizes, where they differ.

    Every process calls this at the same time, as each reads a part of the headers. Left alone
    are one process, samplers of other packages, and those that shuffle or repeat images.
    """
    rank, world_size = get_dist_info()
    if (world_size == 1 or type(sampler) is not DefaultSampler or sampler.shuffle
            or sampler.round_up):
        return
    costs = _gathered([image_cost(dataset, i) for i in range(rank, len(dataset), world_size)])
    known = [cost for cost in costs if cost is not None]
    if not known:
        return
    usual = sum(known) // len(known)
    costs = [usual if cost is None else cost for cost in costs]
    if min(costs) < max(costs):
        sampler.follow(share_out(costs, world_size)[rank], costs)


def _gathered(own: list) -> list:
    """The parts of all processes, dealt by turns, in one list in order."""
    parts = all_gather_object(own)
    whole = [None] * sum(map(len, parts))
    for rank, part in enumerate(parts):
        whole[rank::len(parts)] = part
    return whole


def image_cost(dataset, index: int) -> int | None:
    """What testing an image costs: the pixels of its file, and those that the network sees.

    The first are decoded and scored, the second differ where the pipeline resizes. None where
    the data set does not say which local file it is, or the header cannot be read.
    """
    try:
        size = image_size(os.fspath(dataset.get_data_info(index)['img_path']))
        if size is None:
            return None
        height, width = resized(size, _resize_of(dataset))
        return size[0] * size[1] + height * width
    except Exception:  # a data set of another kind: nothing in it need be as it is in ours
        return None


def _resize_of(dataset):
    """The transform that resizes test images, if the pipeline has one that is known to us."""
    for name in ('_dataset', 'datasets', 'dataset'):  # a part, several, or a wrapper's own
        inner = getattr(dataset, name, None)
        if inner is not None:
            return _resize_of(inner[0] if name == 'datasets' else inner)
    return next((t for t in dataset.pipeline.transforms if type(t).__name__ == 'Resize'), None)


def resized(size: tuple[int, int], transform) -> tuple[int, int]:
    """(H, W) of an image after mmcv's ``Resize`` (or ours); as it was without one."""
    height, width = size
    scale = getattr(transform, 'scale', None)
    factor = getattr(transform, 'scale_factor', None)
    if scale:
        if not getattr(transform, 'keep_ratio', False):
            return scale[1], scale[0]
        ratio = min(max(scale) / max(size), min(scale) / min(size))
        factor = ratio, ratio
    if not factor:
        return size
    factor = factor if isinstance(factor, Sequence) else (factor, factor)
    return int(height * factor[1] + 0.5), int(width * factor[0] + 0.5)
