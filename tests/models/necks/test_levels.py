import pytest
import torch

from segplug.errors import ConfigError, ShapeError
from segplug.models.necks.levels import check_levels, level_range


@pytest.mark.parametrize(('start', 'end', 'levels'), [
    (0, -1, [0, 1, 2, 3]), (1, -1, [1, 2, 3]), (0, 4, [0, 1, 2, 3]), (1, 3, [1, 2])])
def test_part_of_four_levels(start, end, levels):
    assert list(level_range(4, start, end)) == levels


@pytest.mark.parametrize(('start', 'end'), [(0, 5), (-1, 2), (2, 2), (4, -1), (0, -2)])
def test_no_part_of_four_levels(start, end):
    with pytest.raises(ConfigError, match=f'start_level={start}, end_level={end}'):
        level_range(4, start, end)


def test_a_level_too_few_says_what_came():
    check_levels([torch.rand(1, 2, 3, 4)], 1)
    with pytest.raises(ShapeError, match=r'1: \[\(1, 2, 3, 4\)\].*2 levels'):
        check_levels([torch.rand(1, 2, 3, 4)], 2)
