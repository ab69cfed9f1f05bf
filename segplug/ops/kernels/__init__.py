"""Compiled versions of the test path's inner loops, and which device has them.

On a CPU they need numba, which is optional; on CUDA Triton, which comes with torch there. The
environment variable ``SEGPLUG_KERNELS=off`` leaves everything to plain torch.
"""

import importlib
import logging
import os
from collections.abc import Callable
from functools import lru_cache

import torch
from mmengine.logging import print_log


def fuse_for(device: torch.device) -> Callable | None:
    """The compiled `ops.fuse.fuse` of a device, or None."""
    return _function({'cpu': 'cpu_fuse', 'cuda': 'cuda_fuse'}.get(device.type), 'fuse')


def view_for(device: torch.device) -> Callable | None:
    """The compiled `ops.views.view` of a device, or None."""
    return _function({'cpu': 'cpu_view'}.get(device.type), 'view')


def _function(module: str | None, name: str) -> Callable | None:
    if module is None or os.environ.get('SEGPLUG_KERNELS', 'on') == 'off':
        return None
    found = _load(module)
    return None if found is None else getattr(found, name)


@lru_cache
def _load(module: str):
    """A module beside this one, or None where what it is compiled with is not installed."""
    try:
        return importlib.import_module(f'{__name__}.{module}')
    except ImportError as error:
        print_log(f'Testing without compiled kernels: {error}. Results are the same; '
                  '`pip install numba` makes tests on a CPU several times faster.', 'current',
                  logging.WARNING if module.startswith('cuda') else logging.INFO)
        return None
