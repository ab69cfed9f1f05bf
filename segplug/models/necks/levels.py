"""What necks check about the levels that come in."""

from collections.abc import Sequence

import torch

from ...errors import ConfigError, ShapeError


def level_range(num_levels: int, start_level: int, end_level: int) -> range:
    """The levels from ``start_level`` up to, not including, ``end_level``; -1 is all that follow.

    Raises:
        ConfigError: If that is none, or more than there are.
    """
    end = num_levels if end_level == -1 else end_level
    if not 0 <= start_level < end <= num_levels:
        raise ConfigError('A neck uses a part of the levels it gets.',
                          got=f'start_level={start_level}, end_level={end_level}',
                          expected=f'0 <= start < end <= {num_levels}, or end -1',
                          culprit='end_level')
    return range(start_level, end)


def check_levels(inputs: Sequence[torch.Tensor], expected: int) -> None:
    """Refuse another number of levels than the neck was built for.

    Raises:
        ShapeError: With the shapes that came.
    """
    if len(inputs) != expected:
        raise ShapeError('A neck gets as many levels as it was built for.',
                         got=f'{len(inputs)}: {[tuple(x.shape) for x in inputs]}',
                         expected=f'{expected} levels', fix="the backbone's out_indices and the "
                         "neck's in_channels have to fit")
