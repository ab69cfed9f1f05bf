"""How long a call takes once it is warm, and how much memory it needs.

A call is timed from outside, with the device idle before and after it: what a user waits for. The
first calls are not counted: they compile, choose algorithms and fill caches.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

PERCENTILES = (50, 90, 99)
_WINDOW = 5  # calls whose medians are compared
_FASTER = 0.95  # of the time before, below which it is still getting warm


@dataclass(frozen=True)
class Latency:
    """Times of equal calls.

    Attributes:
        seconds: Of each call.
        images: That each call works on.
    """

    seconds: tuple[float, ...]
    images: int = 1

    def percentile(self, share: float) -> float:
        """Seconds below which ``share`` percent of the calls are, between two calls linearly."""
        return float(np.percentile(self.seconds, share))

    @property
    def mean(self) -> float:
        """Seconds."""
        return float(np.mean(self.seconds))

    @property
    def images_per_second(self) -> float:
        """One call after the other."""
        return self.images / self.mean


@dataclass(frozen=True)
class WarmUp:
    """The calls that do not count.

    Attributes:
        calls: How many.
        first: Seconds of the first one, which compiles if anything does.
        stable: Whether they got faster no more at the end.
    """

    calls: int
    first: float
    stable: bool


def idle(device: torch.device) -> None:
    """Wait until ``device`` has done all it was told."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    elif device.type == 'mps':
        torch.mps.synchronize()


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call."""
    idle(device)
    start = time.perf_counter()
    call()
    idle(device)
    return time.perf_counter() - start


def warm_up(once: Callable[[], float], max_calls: int = 100, max_seconds: float = 20.0) -> WarmUp:
    """Call until it gets no faster: the median of 5 calls is no less than 95 % of that of the 5
    before.

    Args:
        once: Does one call and returns its seconds.
        max_calls, max_seconds: When to give up. Two calls are made at least.
    """
    times: list[float] = []
    while len(times) < 2 or (len(times) < max_calls and sum(times) < max_seconds):
        times.append(once())
        before, last = times[-2 * _WINDOW:-_WINDOW], times[-_WINDOW:]
        if len(before) == _WINDOW and np.median(last) >= _FASTER * np.median(before):
            return WarmUp(len(times), times[0], True)
    return WarmUp(len(times), times[0], False)


class Stages:
    """Adds up what stages of a call take, by name.

    Args:
        device: What computes them.

    Attributes:
        seconds: Of all calls of a stage together; 0 of one that was never called.
        inputs: The shape of the first argument of each call of a stage, in order.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.inputs: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)

    @contextlib.contextmanager
    def of(self, owner: object, method: str, name: str) -> Iterator[None]:
        """While open, calls of ``owner.method`` are the stage ``name``; their first argument is a
        tensor."""
        original, own = getattr(owner, method), vars(owner).get(method)

        def staged(*args: Any, **kwargs: Any) -> Any:
            self.inputs[name].append(tuple(args[0].shape))
            result = None

            def call() -> None:
                nonlocal result
                result = original(*args, **kwargs)
            self.seconds[name] += timed(call, self._device)
            return result

        setattr(owner, method, staged)
        try:
            yield
        finally:
            if own is None:
                delattr(owner, method)
            else:
                setattr(owner, method, own)


class PeakMemory:
    """The most memory that was in use inside the ``with``.

    Attributes:
        num_bytes: On CUDA what torch's allocator held, weights too. On a CPU by how much the
            process grew, without what it held before. None where there is no account of that.
        definition: Which of these it is.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.num_bytes: int | None = None
        self.definition = 'of torch on the GPU, with weights' if device.type == 'cuda' else \
            'that the process grew by'

    def __enter__(self) -> 'PeakMemory':
        if self._device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(self._device)
        self._before = _resident('VmRSS') if _forget_peak() else None
        return self

    def __exit__(self, *error) -> None:
        if self._device.type == 'cuda':
            self.num_bytes = torch.cuda.max_memory_allocated(self._device)
        elif self._device.type == 'cpu' and self._before is not None:
            self.num_bytes = max(_resident('VmHWM') - self._before, 0)


def _forget_peak() -> bool:
    """Whether Linux begins the high-water mark of this process anew."""
    try:
        Path('/proc/self/clear_refs').write_text('5')
    except OSError:
        return False
    return True


def _resident(key: str) -> int | None:
    """Bytes, of Linux's account of this process; None elsewhere."""
    try:
        lines = Path('/proc/self/status').read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f'{key}:')),
                None)
