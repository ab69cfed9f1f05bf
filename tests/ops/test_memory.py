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


def test_a_buffer_that_was_let_go_is_used_again_and_no_other():
    with memory.reused():
        one, other = memory.empty((1 << 21,)), memory.empty((1 << 21,))
        assert one.data_ptr() != other.data_ptr()
        place, part = one.data_ptr(), one[3:4]
        del one  # a view of it is left
        assert memory.empty((1 << 21,)).data_ptr() not in (place, other.data_ptr())
        del part
        again = memory.empty((3, 1 << 19))
        assert again.data_ptr() == place
        assert again.shape == (3, 1 << 19)
    assert memory._kept == []
    assert (again.fill_(1) == 1).all()  # what is in use outlives the block's keeping


def test_what_is_kept_does_not_grow():
    with memory.reused():
        for length in (20, 21, 22, 21, 20):
            memory.empty((1 << length,))
        assert [len(block) for block in memory._kept] == [4 << 22]


def test_nothing_is_kept_outside():
    memory.empty((1 << 21,))
    assert memory._kept == []
