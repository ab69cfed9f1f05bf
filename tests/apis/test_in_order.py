"""Work done ahead, in threads, in order."""

import pytest

from segplug.apis.in_order import in_order


def items(count, error=None):
    yield from range(count)
    if error is not None:
        raise error


@pytest.mark.parametrize('count', [0, 1, 4, 5, 23])
def test_order_and_number(count):
    assert list(in_order(lambda x: x * x, items(count), workers=2)) == [x * x
                                                                        for x in range(count)]


@pytest.mark.parametrize('count', [0, 3, 9])
def test_what_came_before_a_failure_is_done(count):
    """The fourth item is asked for before the first is given."""
    found = []
    with pytest.raises(ValueError, match='broken'):
        found.extend(in_order(str, items(count, ValueError('broken')), workers=2))
    assert found == [str(x) for x in range(count)]


def test_a_failure_of_the_work_comes_in_its_turn():
    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(in_order(lambda x: 6 // (3 - x), items(9), workers=2))
    assert found == [2, 3, 6]


def test_who_stops_early_waits_for_nothing_that_is_not_begun():
    asked = []
    found = in_order(asked.append, iter(range(1000)), workers=1)
    next(found)
    found.close()
    assert len(asked) <= 3
