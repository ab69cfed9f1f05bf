"""Compiled versions of the inner loops of tests and losses, and which device has them.

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


def label_for(device: torch.device) -> Callable | None:
    """The compiled arg-max of a sum that `fuse_for` has made, or None."""
    return _function({'cpu': 'cpu_fuse'}.get(device.type), 'label')


def view_for(device: torch.device) -> Callable | None:
    """The compiled `ops.views.view` of a device, or None."""
    return _function({'cpu': 'cpu_view'}.get(device.type), 'view')


def cross_entropy_for(device: torch.device) -> Callable | None:
    """What `ops.cross_entropy` has compiled for a device, or None."""
    return _function({'cpu': 'cpu_cross_entropy'}.get(device.type), 'cross_entropy')


def joint_histogram() -> Callable | None:
    """The compiled joint histogram of two byte maps on the CPU, or None."""
    return _function('cpu_confusion', 'joint_histogram')


def resize_window() -> Callable | None:
    """The compiled window of a resized image on the CPU, or None."""
    return _function('cpu_resize', 'window')


def channel_tables() -> Callable | None:
    """The compiled `ops.tables.look_up` on the CPU, or None."""
    return _function('cpu_tables', 'look_up')


def png_unfilter() -> Callable | None:
    """What `ops.png` has compiled to undo the filters of rows on the CPU, or None."""
    return _function('cpu_png', 'unfilter')


def nearest_window() -> Callable | None:
    """The compiled window of a label resized on the CPU, or None."""
    return _function('cpu_resize', 'nearest')


def _function(module: str | None, name: str) -> Callable | None:
    if module is None or os.environ.get('SEGPLUG_KERNELS', 'on') == 'off':
        return None
    found = _load(module)
    return None if found is None else getattr(found, name)


_said: set[bool] = set()


@lru_cache
def _load(module: str):
    """A module beside this one, or None where what it is compiled with is not installed."""
    try:
        return importlib.import_module(f'{__name__}.{module}')
    except ImportError as error:
        on_cpu = module.startswith('cpu')
        if on_cpu in _said:
            return None
        _said.add(on_cpu)
        print_log(f'Running without compiled kernels: {error}. Results are the same; '
                  f'`pip install {"numba" if on_cpu else "triton"}` makes '
                  f'{"tests and losses on a CPU several times" if on_cpu else "tests on a GPU"} '
                  'faster.', 'current',
                  logging.INFO if on_cpu else logging.WARNING)
        return None
