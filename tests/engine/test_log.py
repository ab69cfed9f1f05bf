"""Memory in the log without a GPU, and a log file on a full disk."""

import contextlib
import logging
from pathlib import Path

import pytest

from segplug.engine import log


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
