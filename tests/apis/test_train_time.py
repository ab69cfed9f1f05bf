"""Seconds of an iteration, by hand."""

import os

import numpy as np
import pytest

from segplug.apis.curve_text import time_line
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


def test_what_is_left(tmp_path):
    """50 iterations of 150 are done; 100 times 1.5 s."""
    run = RunLog('r', log(time=Y).curves, (10,), (tmp_path / 'scalars.json',))
    for text, planned in (("train_cfg = dict(max_iters=150, type='IterBasedTrainLoop')", 150),
                          ('train_cfg = dict(max_epochs=2)', None), ('train_cfg = (', None),
                          ("import os; train_cfg = dict(max_iters=os.abort())", None)):
        (tmp_path / 'config.py').write_text(text)
        os.utime(tmp_path / 'config.py', (0, len(text)))
        assert train_time(run).planned == planned
        if planned:
            assert train_time(run).left == pytest.approx(150)
            assert time_line(train_time(run)).endswith('50 of 150 iterations in 90 s, 2 min to go')
    (tmp_path / 'config.py').write_text('train_cfg = dict(max_iters=50)')
    assert train_time(run).left is None
