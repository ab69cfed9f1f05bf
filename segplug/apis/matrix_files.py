"""Reading a confusion matrix that a test, or another program, has written."""

import math
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import DataError


def read_matrix(path: Path, again: str) -> np.ndarray:
    """(K, K) int64 from a .npy file.

    Args:
        path: The file.
        again: How to come by a sound one, for the error.

    Raises:
        DataError: It cannot be read, or holds no counts.
    """
    expected = '(K, K) whole numbers, rows ground truth, columns prediction'
    try:
        with open(path, 'rb') as file:
            matrix = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(f'{path} cannot be read.', got=getattr(error, 'strerror', None),
                        expected="numbers in NumPy's format", fix=again) from error
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or 0 in matrix.shape \
            or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in 'iuf':
        got = f'{matrix.shape} {matrix.dtype}' if isinstance(matrix, np.ndarray) else 'an archive'
        raise DataError(f'{path} is no confusion matrix.', got=got, expected=expected, fix=again)
    with np.errstate(invalid='ignore'):
        whole = matrix.astype(np.int64)
    if not np.array_equal(whole, matrix) or (whole < 0).any() \
            or matrix.dtype.kind == 'f' and (matrix > 2**53).any():
        raise DataError(f'{path} holds numbers that are no counts of pixels.', expected=expected,
                        fix='give the counts, not shares of them')
    if math.fsum(whole.flat) >= 2**63:
        raise DataError(f'{path} counts more pixels than 64 bits hold.', expected=expected,
                        fix=again)
    return whole
