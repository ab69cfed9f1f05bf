"""Which kernels a device has."""

import sys

import torch

from segplug.ops import kernels

CPU = torch.device('cpu')


def test_they_can_be_switched_off(monkeypatch):
    monkeypatch.setenv('SEGPLUG_KERNELS', 'off')
    assert kernels.fuse_for(CPU) is kernels.view_for(CPU) is kernels.joint_histogram() is None


def test_without_numba_plain_torch_takes_over_and_says_so_once(monkeypatch):
    said = []
    monkeypatch.setattr('segplug.ops.kernels.print_log', lambda text, *a: said.append(text))
    monkeypatch.setitem(sys.modules, 'numba', None)  # as if it were not installed
    monkeypatch.setattr('segplug.ops.kernels._said', set())
    for name in ('cpu_fuse', 'cpu_view', 'cpu_confusion', 'jit'):
        monkeypatch.delitem(sys.modules, f'segplug.ops.kernels.{name}', raising=False)
    kernels._load.cache_clear()
    try:
        assert kernels.fuse_for(CPU) is kernels.view_for(CPU) is kernels.joint_histogram() is None
    finally:
        kernels._load.cache_clear()
    assert len(said) == 1
    assert 'pip install numba' in said[0]


def test_other_devices_have_none():
    assert kernels.fuse_for(torch.device('meta')) is kernels.view_for(torch.device('cuda')) is None
