"""Large buffers that a CPU touches quickly.

A fresh buffer of 160 MB costs 40,000 page faults, a fifth of a multi-scale test's time; in huge
pages it costs 80.
"""

import contextlib
import math
import mmap

import torch

_LARGE = 1 << 22  # bytes; below it the allocator's own memory, which is reused, is as good


def empty(shape: tuple[int, ...], device: str | torch.device = 'cpu') -> torch.Tensor:
    """Float32 of unknown values, in huge pages where Linux gives them."""
    num_bytes = 4 * math.prod(shape)
    if torch.device(device).type != 'cpu' or num_bytes < _LARGE \
            or not hasattr(mmap, 'MADV_HUGEPAGE'):
        return torch.empty(shape, device=device)
    memory = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.float32).view(shape)
