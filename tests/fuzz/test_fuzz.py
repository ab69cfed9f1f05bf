"""A few inputs of the fuzzing, and that it sees what it looks for. `fuzz.py` runs as many as asked.
"""

import logging
import signal
import time
from pathlib import Path

import pytest
from fuzz import Hang, at_most, run
from targets import TARGETS, Target

from segplug.errors import DataError

SLOW = ['config', 'resume', 'saved config']  # a second each
QUICK = sorted(set(TARGETS) - set(SLOW))


@pytest.fixture(autouse=True)
def _silence():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_damaged_inputs_end_in_named_errors_or_success(tmp_path):
    ends = [*run(0, range(4 * len(QUICK)), tmp_path / 'quick', QUICK),
            *run(0, range(6), tmp_path / 'slow', SLOW)]
    assert [f'{end.number} {end.target}: {end.fault}' for end in ends if end.fault] == []
    assert len(ends) == 78
    # Neither is everything refused nor everything taken.
    assert 10 < sum(end.error != '' for end in ends) < 68


@pytest.mark.parametrize('name', QUICK)
def test_what_is_whole_is_taken(name, tmp_path):
    TARGETS[name].make(tmp_path)
    TARGETS[name].use(tmp_path)
    assert TARGETS[name].left(tmp_path, None) == ''


def outcomes(monkeypatch, tmp_path, use, left=lambda place, error: ''):
    """What is said of inputs that are put to ``use``."""
    target = Target(lambda place: (place / 'a').write_text('a'), lambda place, draw: None, use,
                    left)
    monkeypatch.setitem(TARGETS, 'made up', target)
    return [end.fault for end in run(0, [0], tmp_path / 'work', ['made up'], seconds=1)]


def test_each_kind_of_fault_is_seen(monkeypatch, tmp_path):
    def fails(place: Path):
        raise KeyError('a')

    def refuses(place: Path):
        raise DataError('No.')

    assert outcomes(monkeypatch, tmp_path / '1', fails) == ["KeyError: 'a'"]
    assert outcomes(monkeypatch, tmp_path / '2', refuses) == ['']
    assert outcomes(monkeypatch, tmp_path / '3', refuses, lambda place, error: 'half.png') == [
        'left behind: half.png']
    assert outcomes(monkeypatch, tmp_path / '4', lambda place: time.sleep(30)) == [
        'Hang: no end after 1 s']


def test_the_alarm_is_given_back():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Hang), at_most(1):
        time.sleep(30)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.alarm(0) == 0


def test_an_input_is_the_same_in_every_run(tmp_path):
    for name in ('one', 'two'):
        list(run(5, [7], tmp_path / name, ['label']))
    one, two = (sorted((tmp_path / name / 'case' / 'ann').iterdir()) for name in ('one', 'two'))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
