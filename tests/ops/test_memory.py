"""Buffers are what `torch.empty` gives, small or large."""

import pytest
import torch

from segplug.ops import memory


@pytest.mark.parametrize('shape', [(0,), (2, 3), (19, 300, 301), (1 << 20,), (1 << 20, 2)])
def test_float32_that_can_be_written(shape):
    buffer = memory.empty(shape)
    assert (buffer.shape, buffer.dtype, buffer.is_contiguous()) == (shape, torch.float32, True)
    assert (buffer.fill_(2.) == 2).all()


def test_buffers_are_apart_and_outlive_their_maker():
    one, other = memory.empty((1 << 21,)).fill_(1), memory.empty((1 << 21,)).fill_(2)
    view = one[5:9].clone(), one[5:9]
    del one
    other.fill_(3)
    assert torch.equal(*view)


def test_without_huge_pages(monkeypatch):
    monkeypatch.delattr('mmap.MADV_HUGEPAGE', raising=False)
    assert memory.empty((1 << 21,)).fill_(1).sum() == 1 << 21
