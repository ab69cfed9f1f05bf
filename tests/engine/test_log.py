"""Memory in the log without a GPU, and TensorBoard only when installed."""

import contextlib
import importlib.util
import logging
from pathlib import Path

import pytest
from engine_toy import toy_cfg

from segplug.engine import log
from segplug.engine.runner import Runner


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='compares with /proc')
def test_resident_memory_is_that_of_this_process():
    status = Path('/proc/self/status').read_text()
    kib = int(next(line for line in status.splitlines() if line.startswith('VmRSS')).split()[1])
    assert log.resident_memory() > 50  # torch alone takes more
    assert abs(log.resident_memory() - kib / 1024) < 5  # MiB


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no device that is always full')
def test_a_full_disk_is_told_once(capsys):
    logger = logging.Logger('full')
    handler = logging.FileHandler('/dev/full')
    logger.addHandler(handler)
    log.told_once(logger)
    for _ in range(3):
        logger.info('a line')
    assert capsys.readouterr().err == (
        'The log /dev/full cannot be written: No space left on device.\n')
    logger.info('%d', 'no number')  # what is wrong with the line itself is Python's to say
    assert 'TypeError' in capsys.readouterr().err
    with contextlib.suppress(OSError):
        handler.close()


def with_tensorboard(folder) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, **{
        'train_cfg.max_iters': 2, 'visualizer': dict(
            type='Visualizer', vis_backends=[dict(type='TensorboardVisBackend')])}))
    runner.train()
    return runner


def test_silent_without_tensorboard(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec',
                        lambda name, *a: None if name == 'tensorboard' else find(name, *a))
    monkeypatch.setattr(log, '_said', set())
    with_tensorboard(tmp_path)
    assert not list(tmp_path.rglob('events.out*'))
    text = ''.join(p.read_text() for p in tmp_path.rglob('*.log'))
    assert text.count('TensorBoard is not installed') == 1


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_events_with_tensorboard(tmp_path):
    pytest.importorskip('tensorboard')
    with_tensorboard(tmp_path)
    assert list(tmp_path.rglob('events.out*'))
