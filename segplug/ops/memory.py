"""Large buffers that a CPU touches quickly: in huge pages, and used again.

A fresh buffer of 160 MB costs 40,000 page faults, a fifth of a multi-scale test's time; in huge
pages it costs 80, and where the last image left one, none. What is kept is at most what one image
took, for as long as `reused` says.
"""

import contextlib
import math
import mmap
import threading
import weakref
from collections.abc import Iterator

import numpy as np
import torch

_LARGE = 1 << 22  # bytes; below it the allocator's own memory, which is reused, is as good
_lock = threading.Lock()
_kept: list['_Block'] = []
_depth = 0


class _Block:
    """Memory, and whether a tensor lies in it."""

    def __init__(self, num_bytes: int) -> None:
        self.memory = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a kernel without huge pages
            self.memory.madvise(mmap.MADV_HUGEPAGE)
        self._user: weakref.ref | None = None

    def __len__(self) -> int:
        return len(self.memory)

    def tensor(self, count: int) -> torch.Tensor:
        """(count,) float32. Whatever shares its storage holds the array that is watched here."""
        array = np.frombuffer(self.memory, np.float32, count)
        self._user = weakref.ref(array)
        return torch.from_numpy(array)

    def is_idle(self) -> bool:
        return self._user is None or self._user() is None


def empty(shape: tuple[int, ...], device: str | torch.device = 'cpu') -> torch.Tensor:
    """Float32 of unknown values, in huge pages where Linux gives them."""
    num_bytes = 4 * math.prod(shape)
    if torch.device(device).type != 'cpu' or num_bytes < _LARGE \
            or not hasattr(mmap, 'MADV_HUGEPAGE'):
        return torch.empty(shape, device=device)
    with _lock:
        return (_free(num_bytes) or _new(num_bytes)).tensor(math.prod(shape)).view(shape)


@contextlib.contextmanager
def reused() -> Iterator[None]:
    """Inside, buffers that are let go are kept for the next that fits; all are freed at the end."""
    global _depth
    with _lock:
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _kept.clear()


def _new(num_bytes: int) -> _Block:
    """A new block. While blocks are kept, the smallest idle one makes way for it."""
    block = _Block(num_bytes)
    if _depth:
        idle = [kept for kept in _kept if kept.is_idle()]
        if idle:
            _kept.remove(min(idle, key=len))
        _kept.append(block)
    return block


def _free(num_bytes: int) -> _Block | None:
    """The smallest idle block that is large enough, but not far too large."""
    fitting = [block for block in _kept
               if num_bytes <= len(block) <= 16 * num_bytes and block.is_idle()]
    return min(fitting, key=len, default=None)
