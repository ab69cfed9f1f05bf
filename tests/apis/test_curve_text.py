"""The table of a log, by hand."""

from types import SimpleNamespace

import numpy as np

from segplug.apis.curve_text import duration, text
from segplug.apis.train_time import TrainTime
from segplug.report.logs import Curve, RunLog

NAN, INF = float('nan'), float('inf')


def log(**curves):
    return RunLog('work', {name: Curve(np.arange(1., len(y) + 1), np.array(y))
                           for name, y in curves.items()}, (1, 3), (), ('x.json:4 was cut off',))


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_extremes_are_of_what_is_finite():
    """Of nan, 5, -inf, 2, 123456 the lowest is 2 at 4, the highest at 5; ends are as logged."""
    found = SimpleNamespace(names=('exp', 'work'), keys=('loss', 'lr'), times=(None, None),
                            runs=(log(loss=[NAN, 5., -INF, 2., 123456.]), log(lr=[NAN, INF])))
    first, second = (part.split('\n') for part in text(found).split('\n\n'))
    assert first[:2] == ['exp: work', 'begun 2 times; logged from the iterations 1, 3 on']
    assert cells(first[5]) == ['loss', '5', 'nan', '1.2346e+05', '2', '4', '1.2346e+05', '5']
    assert first[-2:] == ['not in this log: lr', 'x.json:4 was cut off']
    assert second[0] == 'work'
    assert cells(second[5]) == ['lr', '2', 'nan', 'inf', '-', '-', '-', '-']


def test_the_line_of_times():
    """10 iterations of 0.5 s are left of 30; 20 took 10 s, which is 1/360 h."""
    time = TrainTime(0.5, 0.1, 0.4, 5, 0.75, 10, 0.125, 2048., 20, 10 / 3600, 30)
    found = SimpleNamespace(names=('work',), keys=(), times=(time,), runs=(log(),))
    assert text(found).split('\n')[2] == (
        '0.5 s per iteration (spread 0.1; fastest 0.4 at 5, slowest 0.75 at 10), 12.5 % of it '
        'waiting for data, 2048 MB at most, 20 of 30 iterations in 10 s, 5 s to go')


def test_durations_at_their_limits():
    """100 s are 1.67 minutes; 99.4 minutes are still minutes."""
    assert [duration(s) for s in (0, 99, 100, 5964, 6000)] == [
        '0 s', '99 s', '2 min', '99 min', '1 h 40 min']
