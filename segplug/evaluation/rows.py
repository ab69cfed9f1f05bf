"""What is known of each image: a row, gathered from all processes, in the data set's order.

Letters: I images, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError


@dataclass(frozen=True)
class Row:
    """One image: its place in the data set, its file, and (3, K) int64 counts (true positives,
    false positives, false negatives), which are None without labels."""

    sample_idx: int
    file: str
    counts: np.ndarray | None


def in_order(parts: Sequence[Sequence[Row]], size: int) -> list[Row]:
    """The rows of all processes, by place and file, which no number of processes changes.

    Raises:
        DataError: They are not ``size`` different images.
    """
    rows = sorted((row for part in parts for row in part), key=_key)
    check_once(rows, size)
    return rows


def check_once(rows: Sequence[Row], size: int) -> None:
    """Raise DataError unless ``rows``, which are in order, are ``size`` different images."""
    for one, other in zip(rows, rows[1:], strict=False):
        if _key(one) == _key(other):
            raise DataError(f'{one.file} (sample {one.sample_idx}) was scored more than once.',
                            expected='each image on exactly one process',
                            fix='use the test sampler of this package, which repeats no image')
    if len(rows) != size:
        raise DataError('Not every image of the data set was scored.', got=f'{len(rows)} images',
                        expected=f'{size}')


def columns(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(I, K) int64 each: true positives, false positives, false negatives of I > 0 rows."""
    return tuple(np.stack([row.counts[i] for row in rows]) for i in range(3))


def _key(row: Row) -> tuple[int, str]:
    return row.sample_idx, row.file
