"""What the compiled CPU kernels share: how they are compiled, and rows shared out to threads.

numba is optional. The first run of a kernel on a machine compiles it, in some seconds; the
result is kept beside the code, or in the person's cache folder where that cannot be written.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch
from numba import njit


def compiled(function: Callable | None = None, *, inline: str = 'never') -> Callable:
    """``numba.njit`` as all kernels want it: multiply-adds may fuse, threads may run beside it."""
    if function is None:
        return lambda f: compiled(f, inline=inline)
    options = dict(fastmath={'contract'}, error_model='numpy', nogil=True, inline=inline)
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder to keep the result in
        return njit(**options)(function)


@lru_cache(maxsize=1)
def _pool(num_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads)


def in_parallel(run: Callable[[int, int], None], start: int, stop: int) -> None:
    """Call ``run(a, b)`` for parts of the rows start to stop, on as many threads as torch has."""
    count = min(torch.get_num_threads(), stop - start)
    if count <= 1:
        run(start, stop)
        return
    edges = [start + (stop - start) * i // count for i in range(count + 1)]
    list(_pool(count).map(run, edges[:-1], edges[1:]))
