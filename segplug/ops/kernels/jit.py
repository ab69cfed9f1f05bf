"""What the compiled CPU kernels share: how they are compiled, and rows shared out to threads.

numba is optional. The first run of a kernel on a machine compiles it, in some seconds; the
result is kept beside the code, or in the person's cache folder where that cannot be written.
numba looks only at the file of a kernel to see whether it changed, not at those that the kernel
takes functions from, so each state of this folder has a cache of its own.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import torch
from numba import config, njit


def compiled(function: Callable | None = None, *, inline: str = 'never') -> Callable:
    """``numba.njit`` as all kernels want it: multiply-adds may fuse, threads may run beside it."""
    if function is None:
        return lambda f: compiled(f, inline=inline)
    options = dict(fastmath={'contract'}, error_model='numpy', nogil=True, inline=inline)
    before, folder = config.CACHE_DIR, cache_folder()
    config.CACHE_DIR = folder or ''
    try:
        return njit(cache=folder is not None, **options)(function)
    finally:
        config.CACHE_DIR = before


@lru_cache
def cache_folder() -> str | None:
    """Where compiled kernels of this state of the sources are kept; None if nowhere can be."""
    here = Path(__file__).parent
    state = hashlib.sha1(b''.join(f.read_bytes() for f in sorted(here.glob('*.py')))).hexdigest()
    parents = [config.CACHE_DIR] if config.CACHE_DIR else \
        [here / '__pycache__', Path.home() / '.cache' / 'segplug']
    for parent in parents:
        folder = Path(parent) / f'kernels-{state[:12]}'
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return None


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
