"""Seconds of an iteration, by hand."""

import numpy as np
import pytest

from segplug.apis.train_time import train_time
from segplug.report.logs import Curve, RunLog

X = np.array([10., 20, 40, 50])
Y = np.array([3., 1, 2, 1])


def log(**curves):
    return RunLog('r', {key: Curve(X, np.array(y)) for key, y in curves.items()}, (10,), ())


def test_by_hand():
    """Without the first value: (10 * 1 + 20 * 2 + 10 * 1) / 40 = 1.5, spread sqrt((20 * 0.25 +
    20 * 0.25) / 40) = 0.5; all of it 30 + 10 + 40 + 10 = 90 s; waiting (1 + 2 + 3) / 60."""
    time = train_time(log(time=Y, data_time=[1., 0.1, 0.1, 0.3], memory=[5., 7, 6, 5]))
    assert (time.mean, time.std) == pytest.approx((1.5, 0.5))
    assert (time.fastest, time.fastest_at, time.slowest, time.slowest_at) == (1, 20, 2, 40)
    assert time.waiting == pytest.approx(0.1)
    assert time.hours == pytest.approx(90 / 3600)
    assert (time.memory, time.iterations) == (7, 50)


def test_with_the_warm_up():
    """(30 + 10 + 40 + 10) / 50."""
    time = train_time(log(time=Y), warm_up=True)
    assert time.mean == pytest.approx(1.8)
    assert (time.slowest, time.waiting, time.memory) == (3, None, None)


def test_one_value_is_better_than_none():
    assert train_time(RunLog('r', {'time': Curve(X[:1], Y[:1])}, (10,), ())).mean == 3


def test_no_time_is_none():
    assert train_time(log(loss=Y)) is None
    assert train_time(log(time=np.full(4, np.nan))) is None
