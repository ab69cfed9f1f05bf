"""What the launcher says and returns when its processes end well, fail or are ended."""

import signal
import subprocess
import sys
import textwrap

import pytest

from segplug.cli.launch import nodes_from_environment
from segplug.errors import ConfigError

SCRIPT = '''
    import os, sys, time
    from segplug.cli.main import guarded
    from segplug.errors import DataError

    def run(args, argv):
        mode, rank = sys.argv[1], os.environ['RANK']
        if mode == 'all' or (mode == 'one' and rank == '1'):
            raise DataError('Bad pixel.', got=3)
        if mode == 'crash' and rank == '1':
            os.kill(os.getpid(), 11)
        if mode == 'stop' and rank == '1':
            os.kill(os.getpid(), 15)
        if mode == 'bug' and rank == '1':
            1 / 0
        if mode != 'well':
            print('waiting', flush=True)
            time.sleep(60)

    sys.exit(guarded(run, None, []))
'''


@pytest.fixture
def start(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(textwrap.dedent(SCRIPT))

    started = []

    def _start(mode):
        started.append(subprocess.Popen(
            [sys.executable, '-m', 'segplug.cli.launch', '--nproc', '2', str(script), mode],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield _start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(('mode', 'code', 'said'), [
    ('well', 0, ''),
    ('all', 1, 'DataError: Bad pixel. Got: 3.\n'),
    ('one', 1, 'DataError: Bad pixel. Got: 3.\n'),
    ('crash', 139, 'Process 1 was ended by SIGSEGV.\n'),
    ('stop', 143, ''),
])
def test_the_reason_is_said_once_and_the_exit_code_is_the_first_failures(start, mode, code, said):
    process = start(mode)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, said)


def test_a_bug_keeps_its_traceback(start):
    process = start('bug')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert 'ZeroDivisionError' in err
    assert 'Process 1 failed with exit code 1; see above.' in err


def test_a_signal_ends_the_job_with_its_exit_code(start):
    process = start('sleep')
    assert process.stdout.readline().startswith('waiting')  # '' when it ended before; or of both
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def test_nodes_come_from_the_environment_as_users_know_them(monkeypatch):
    for name in ('NNODES', 'NODE_RANK', 'MASTER_ADDR', 'PORT', 'MAX_RESTARTS', 'JOIN_TIMEOUT'):
        monkeypatch.delenv(name, raising=False)
    assert nodes_from_environment() == dict(
        nnodes=1, node_rank=0, master_addr=None, port=None, max_restarts=0, join_timeout=600)
    monkeypatch.setenv('NNODES', '2')
    monkeypatch.setenv('NODE_RANK', '1')
    monkeypatch.setenv('MASTER_ADDR', 'first')
    monkeypatch.setenv('PORT', '29501')
    monkeypatch.setenv('MAX_RESTARTS', '3')
    monkeypatch.setenv('JOIN_TIMEOUT', '60')
    assert nodes_from_environment() == dict(
        nnodes=2, node_rank=1, master_addr='first', port=29501, max_restarts=3, join_timeout=60)
    monkeypatch.setenv('PORT', 'x')
    with pytest.raises(ConfigError, match='whole numbers'):
        nodes_from_environment()
