"""Rows of all processes in one order, each image once."""

import numpy as np
import pytest

from segplug.errors import DataError
from segplug.evaluation.rows import Row, columns, in_order


def test_order_follows_place_then_file():
    rows = [Row(2, 'a', None), Row(0, 'c', None), Row(-1, 'z', None), Row(-1, 'b', None)]
    expected = [(-1, 'b'), (-1, 'z'), (0, 'c'), (2, 'a')]
    for parts in ([rows], [rows[:1], [], rows[1:]], [rows[2:], rows[:2]]):
        assert [(r.sample_idx, r.file) for r in in_order(parts, 4)] == expected
    assert in_order([[], []], 0) == []


def test_twice_or_never():
    with pytest.raises(DataError, match=r'x \(sample 1\) was scored more than once'):
        in_order([[Row(1, 'x', None)], [Row(1, 'x', None)]], 2)
    with pytest.raises(DataError, match='Got: 1 images. Expected: 2'):
        in_order([[Row(1, 'x', None)]], 2)


def test_columns():
    rows = [Row(i, 'x', np.arange(6).reshape(3, 2) + i) for i in range(2)]
    assert [v.tolist() for v in columns(rows)] == [[[0, 1], [1, 2]], [[2, 3], [3, 4]],
                                                   [[4, 5], [5, 6]]]
