"""Confusion matrices from files: counts in, counts out, and what is none is told."""

import numpy as np
import pytest

from segplug.apis.matrix_files import read_matrix
from segplug.errors import DataError


def test_counts_are_read_as_they_are(tmp_path):
    for dtype in ('int64', 'uint8', 'float32'):
        np.save(tmp_path / 'm.npy', np.array([[3, 0], [1, 2]], dtype))
        found = read_matrix(tmp_path / 'm.npy', 'again')
        assert found.dtype == np.int64
        assert found.tolist() == [[3, 0], [1, 2]]


@pytest.mark.parametrize('matrix', [
    [[1, 2, 3]], [1, 2], [[0.5, 0], [0, 1]], [[-1, 0], [0, 1]], [[np.nan, 0], [0, 1]],
    [[2.0**60, 0], [0, 1]], np.zeros((0, 0)), [['a', 'b'], ['c', 'd']],
    np.full((2, 2), 2**62)])  # 4 x 2^62 = 2^64, more than int64 holds
def test_what_is_no_matrix_of_counts_is_an_error(tmp_path, matrix):
    np.save(tmp_path / 'm.npy', np.asarray(matrix))
    with pytest.raises(DataError, match='m.npy'):
        read_matrix(tmp_path / 'm.npy', 'again')


@pytest.mark.parametrize('content', [b'', b'text', b'PK\x03\x04', b'\x93NUMPY\x01\x00'])
def test_a_file_of_another_kind_is_an_error_that_says_what_to_do(tmp_path, content):
    (tmp_path / 'm.npy').write_bytes(content)
    with pytest.raises(DataError, match='again'):
        read_matrix(tmp_path / 'm.npy', 'again')
