"""A back end that fails does not end the run, a mistake in what starts it does."""

import errno
import importlib.util
import logging
import socket

import numpy as np
import pytest
import torch

from segplug.errors import ConfigError
from segplug.visualization import SegLocalVisualizer
from segplug.visualization.backends import Guard, check_installed
from segplug.visualization.backends.guard import LONGEST, PAUSE, nobody_answers, numbers


@pytest.fixture
def missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *a: None if name in (
        'wandb', 'mlflow', 'aim') else find(name, *a))


def test_what_is_missing_is_named_with_what_to_install(missing, tmp_path):
    with pytest.raises(ConfigError, match='needs wandb.*pip install wandb') as caught:
        check_installed('WandbVisBackend')
    assert caught.value.culprit == 'WandbVisBackend'
    for kind in ('AimVisBackend', 'mmengine.visualization.MLflowVisBackend'):
        with pytest.raises(ConfigError, match='which is not installed'):
            SegLocalVisualizer(vis_backends=[dict(type=kind)], save_dir=str(tmp_path))
    check_installed('LocalVisBackend')


class Server:
    """Counts what arrives; fails while ``down``."""

    def __init__(self):
        self.down, self.seen, self.tries = False, [], 0

    def log(self, value):
        self.tries += 1
        if self.down:
            raise ConnectionError('no route\n to host.')
        self.seen.append(value)


def test_a_server_that_goes_away_is_tried_again_ever_more_rarely(caplog, monkeypatch):
    monkeypatch.setattr('segplug.visualization.backends.guard.print_log', lambda text, *_: logging
                        .getLogger().warning(text))
    now, server = [0.0], Server()
    guard = Guard('MLflowVisBackend', clock=lambda: now[0])
    guard.call(server.log, 1)
    server.down = True
    for moment in (1, 2, 1 + PAUSE - 0.1):
        now[0] = moment
        guard.call(server.log, moment)
    assert server.tries == 2  # the second and third were not tried
    now[0] = 1 + PAUSE
    guard.call(server.log, 'still down')
    now[0] += PAUSE + 1  # now twice as long
    guard.call(server.log, 'not tried')
    assert server.tries == 3
    server.down = False
    now[0] += PAUSE
    guard.call(server.log, 'back')
    assert server.seen == [1, 'back']
    assert [r.message for r in caplog.records] == [
        'MLflowVisBackend fails: ConnectionError: no route to host. The training goes on without '
        'it, and tries it again from time to time; scalars.json holds all values.',
        'MLflowVisBackend is back; 5 entries are missing there.']
    server.down = True
    for _ in range(9):
        now[0] += LONGEST
        guard.call(server.log, 0)
    assert server.tries == 4 + 9  # never rarer than that


def wrong(*_):
    raise ValueError('no such argument')


def test_a_mistake_at_the_start_is_a_sentence():
    with pytest.raises(ConfigError, match=r'XVisBackend cannot start: ValueError: no such argum'):
        Guard('XVisBackend').start(wrong, 1)
    Guard('XVisBackend').start(wrong, 1, resumed=True)  # the training has something to lose


def test_a_server_that_is_away_at_the_start_is_tried_later():
    now, server = [0.0], Server()
    guard = Guard('MLflowVisBackend', clock=lambda: now[0])
    server.down = True
    guard.start(server.log, 1)
    server.down = False
    guard.call(server.log, 'too early')
    now[0] = PAUSE
    guard.call(server.log, 2)
    assert server.seen == [2]


def failure(*errors):
    """The last of some errors, each raised while the one before was handled."""
    for before, error in zip((None, *errors), errors, strict=False):
        error.__context__ = before
    return errors[-1]


@pytest.mark.parametrize(('error', 'expected'), [
    (failure(ConnectionRefusedError(111, 'refused'), ValueError('API request failed')), True),
    (socket.gaierror(-2, 'Name or service not known'), True), (TimeoutError(), True),
    (OSError(errno.EHOSTUNREACH, 'No route to host'), True),
    (type('RetryError', (OSError,), {})('too many 503 error responses'), True),
    (PermissionError(13, 'Permission denied'), False), (ValueError('Invalid URL'), False),
    (None, False)])
def test_which_failures_are_of_the_network(error, expected):
    assert nobody_answers(error) is expected


def test_numbers_of_a_log_line():
    line = dict(a=1, b=torch.tensor(2.), c=np.float32(3), d='x', e=np.zeros(2), f=torch.zeros(0),
                g=None, h=[1])
    assert numbers(line) == dict(a=1, b=2, c=3)
