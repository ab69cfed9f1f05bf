"""Jobs of two processes that get into trouble: the sentence, the exit code, what is left on the
disk, and that nobody is left. Times are upper bounds on a machine that does other work as well."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trouble_toy

from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.checkpoint_files import latest_checkpoint
from segplug.engine.distributed import free_port

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
ENV = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '-1'}
LIMIT = 180  # seconds, three times the minute that is promised


def start(folder, *options: str, nproc: int = 2, prefix: tuple = (), log: str = 'log', **env: str):
    """A job of the toy; its output goes to a file, so that no pipe is kept open by a rank."""
    folder.mkdir(exist_ok=True)
    command = [*prefix, sys.executable, '-m', 'segplug.cli.launch', '--nproc', str(nproc),
               trouble_toy.__file__, str(folder), *options]
    with open(folder / f'{log}.txt', 'w') as out:
        return subprocess.Popen(command, env=ENV | env, stdout=out, stderr=out)


def run(folder, *options: str, limit: float = LIMIT, **more) -> tuple[int, str]:
    """(exit code, what a person sees of it) of a job that has left no process behind."""
    job = start(folder, *options, **more)
    try:
        code = job.wait(limit)
    finally:
        job.kill()
        job.wait()
    assert left_over(folder) == []
    return code, said(folder)


def said(folder, log: str = 'log') -> str:
    return (folder / f'{log}.txt').read_text()


def left_over(folder, seconds: float = 30) -> list[int]:
    """Processes that name the folder on their command line and do not go within 30 seconds."""
    deadline = time.monotonic() + seconds
    while (pids := _naming(str(folder).encode())) and time.monotonic() < deadline:
        time.sleep(0.2)
    return pids


def _naming(text: bytes) -> list[int]:
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / 'cmdline').read_bytes().split(b'\0')
            except OSError:
                continue
            if text in words:
                found.append(int(entry.name))
    return found


def weights(folder) -> dict:
    return load_checkpoint(latest_checkpoint(folder))['state_dict']


def same_weights(first, second) -> bool:
    one, two = weights(first), weights(second)
    return one.keys() == two.keys() and all(one[key].equal(two[key]) for key in one)


def last_iteration(folder) -> int:
    return load_checkpoint(latest_checkpoint(folder))['meta']['iter']


# --- signals -------------------------------------------------------------------------------


def test_a_signal_to_one_rank_stops_all_after_the_same_iteration(tmp_path):
    code, text = run(tmp_path / 'a', 'trouble.what=SIGTERM', 'trouble.rank=1',
                     'train_dataloader.num_workers=1')
    assert code == 143
    assert 'SIGTERM: stopped after iteration 3. Saved ' in text
    assert 'Traceback' not in text
    assert last_iteration(tmp_path / 'a') == 3


@pytest.mark.slow
@pytest.mark.parametrize(('options', 'code', 'saved'), [
    (('trouble.what=SIGTERM', 'trouble.parent=True', 'train_dataloader.num_workers=2'), 143, 3),
    (('trouble.what=SIGINT', 'trouble.parent=True'), 130, 3),
    (('trouble.what=SIGUSR1', 'trouble.parent=True'), 138, 3),
    (('trouble.what=SIGTERM', 'trouble.when=val', 'train_cfg.val_interval=3'), 143, 3),
    (('trouble.what=SIGTERM', 'trouble.when=val', 'train_cfg.val_interval=3',  # inside a step
      'optim_wrapper.accumulative_counts=2'), 143, 3),
    (('trouble.what=SIGTERM', 'trouble.parent=True', 'trouble.when=write', 'trouble.at=4'), 143, 4),
    (('trouble.what=SIGTERM', 'trouble.rank=1', 'trouble.when=start'), 143, 0)])
def test_a_stopped_job_resumes_to_the_same_bits(options, code, saved, tmp_path):
    got, text = run(tmp_path / 'cut', *options)
    assert got == code
    assert 'Traceback' not in text
    if saved:  # torchrun takes a moment to hand a signal on
        late = 2 if 'trouble.parent=True' in options else 0
        assert saved <= last_iteration(tmp_path / 'cut') <= saved + late
    else:
        assert latest_checkpoint(tmp_path / 'cut') is None
    same = [option for option in options if option.startswith('optim_wrapper')]
    for name in ('whole', 'cut'):
        assert run(tmp_path / name, 'resume=auto', *same)[0] == 0
    assert same_weights(tmp_path / 'whole', tmp_path / 'cut')


# --- losses --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_loss_that_is_no_number_on_one_rank_is_everybodys(tmp_path):
    code, text = run(tmp_path / 'a', 'trouble.what=nan_loss', 'trouble.rank=1', 'trouble.at=4')
    assert code == 1
    assert text.count('TrainingError: Iteration 4: loss is nan') == 1
    assert last_iteration(tmp_path / 'a') == 2
    code, text = run(tmp_path / 'b', 'trouble.what=nan_loss', 'trouble.rank=1', 'trouble.at=4',
                     'default_hooks.finite_loss.type=FiniteLossHook',
                     'default_hooks.finite_loss.skip=1')
    assert code == 0
    assert 'It was left out (1 of at most 1).' in text
    assert last_iteration(tmp_path / 'b') == 8


# --- ranks that are gone or stuck ----------------------------------------------------------


def test_a_rank_that_hangs_is_named_with_its_place(tmp_path):
    code, text = run(tmp_path / 'a', 'trouble.what=hang', 'trouble.rank=1', 'trouble.when=before',
                     'env_cfg.dist_cfg.timeout=4')
    assert code == 1
    assert re.search(r'TrainingError: The job hangs: no rank got on for \d+ seconds .* To be seen '
                     r'to: rank 1 \(process \d+ on .*\) at trouble_toy.py:\d+ in _do \(iteration 3',
                     text)


@pytest.mark.slow
def test_a_rank_that_was_killed_or_stands_still_is_named(tmp_path):
    code, text = run(tmp_path / 'killed', 'trouble.what=SIGKILL', 'trouble.rank=1')
    assert (code, 'Process 1 was ended by SIGKILL.' in text) == (137, True)
    code, text = run(tmp_path / 'still', 'trouble.what=freeze', 'trouble.rank=1',
                     'env_cfg.dist_cfg.silence=10')
    assert code == 1
    assert re.search(r'Rank 1 \(process \d+ on .*\) died or stands still', text)


def nodes(folder, *options: str, first: tuple = (), second: tuple = (), nproc: int = 1,
          prefixes: tuple = ((), ()), address: str = '127.0.0.2', **env: str) -> list:
    """Two launchers as two machines would have them; ``first`` and ``second`` are for one alone."""
    env = dict(NNODES='2', PORT=str(free_port()), MASTER_ADDR=address) | env
    return [start(folder, *options, *own, nproc=nproc, prefix=prefixes[rank], log=f'node{rank}',
                  NODE_RANK=str(rank), **env) for rank, own in enumerate((first, second))]


def wait_all(folder, jobs: list, limit: float = LIMIT) -> list[int]:
    deadline = time.monotonic() + limit
    try:
        codes = [job.wait(max(1, deadline - time.monotonic())) for job in jobs]
    finally:
        for job in jobs:
            job.kill()
            job.wait()
    assert left_over(folder) == []
    return codes


@pytest.mark.slow
def test_the_other_machine_names_the_rank_that_died(tmp_path):
    """Only machine 1's own torchrun sees the death; machine 0 hears of it by its silence."""
    jobs = nodes(tmp_path, 'trouble.what=SIGKILL', 'trouble.rank=1')
    assert wait_all(tmp_path, jobs) == [1, 137]
    assert re.search(r'TrainingError: Rank 1 \(process \d+ on .*\) died', said(tmp_path, 'node0'))
    assert 'Process 1 was ended by SIGKILL' in said(tmp_path, 'node1')


# --- the meeting ---------------------------------------------------------------------------


@pytest.mark.slow
def test_machines_with_different_configs_do_not_start(tmp_path):
    jobs = nodes(tmp_path, second=('optim_wrapper.optimizer.lr=0.2',))
    assert wait_all(tmp_path, jobs) == [1, 1]
    for log in ('node0', 'node1'):
        text = said(tmp_path, log)
        assert 'was given another config than rank 0: config.optim_wrapper.optimizer.lr is' in text
        assert 'Traceback' not in text


@pytest.mark.slow
def test_a_machine_that_is_missing(tmp_path):
    env = dict(NNODES='2', MASTER_ADDR='127.0.0.2', PORT=str(free_port()), JOIN_TIMEOUT='3')
    code, text = run(tmp_path / 'a', NODE_RANK='0', **env)
    assert (code, 'ConfigError: Only 1 of 2 machines came' in text) == (1, True)
    code, text = run(tmp_path / 'b', NODE_RANK='1', **env)
    assert (code, 'ConfigError: Machine 0 did not answer at 127.0.0.2' in text) == (1, True)


def test_a_port_in_use(tmp_path):
    with socket.socket() as other:
        other.bind(('0.0.0.0', 0))
        other.listen()
        port = other.getsockname()[1]
        code, text = run(tmp_path, PORT=str(port))
    assert code == 1
    assert f'ConfigError: Port {port} of ' in text
    assert 'is in use' in text
    assert 'Traceback' not in text


# --- restarts ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_job_that_torchrun_starts_anew_goes_on(tmp_path):
    code, text = run(tmp_path / 'a', 'trouble.what=SIGKILL', 'trouble.rank=1', 'trouble.at=5',
                     f'trouble.once={tmp_path / "done"}', MAX_RESTARTS='1')
    assert code == 0
    assert 'The job was started anew' in text
    assert 'resumed epoch: 0, iter: 4' in text
    assert last_iteration(tmp_path / 'a') == 8


@pytest.mark.slow
def test_a_restart_ends_in_the_same_bits_and_leaves_an_earlier_run_alone(tmp_path):
    """The folder holds the end of another run; a restart before the first checkpoint of this one
    must not go on from that."""
    for name in ('cut', 'whole'):
        assert run(tmp_path / name, 'randomness.seed=9')[0] == 0
    code, text = run(tmp_path / 'cut', 'trouble.what=SIGKILL', 'trouble.rank=1', 'trouble.at=1',
                     f'trouble.once={tmp_path / "done"}', MAX_RESTARTS='1')
    assert code == 0
    assert 'The job was started anew' not in text
    assert run(tmp_path / 'whole')[0] == 0
    assert same_weights(tmp_path / 'whole', tmp_path / 'cut')


# --- several machines ----------------------------------------------------------------------


@pytest.fixture
def two_machines():
    """Two network namespaces with a cable between them, and the command that enters each."""
    names = [f'segplug{os.getpid()}{side}' for side in 'ab']
    if os.geteuid() or not shutil.which('ip') or subprocess.run(
            ['ip', 'netns', 'add', names[0]], capture_output=True).returncode:
        pytest.skip('network namespaces need root and the ip command')
    try:
        subprocess.run(['ip', 'netns', 'add', names[1]], check=True)
        subprocess.run(['ip', 'link', 'add', 'v0', 'netns', names[0], 'type', 'veth', 'peer',
                        'name', 'v0', 'netns', names[1]], check=True)
        for number, name in enumerate(names, start=1):
            for words in (['addr', 'add', f'10.77.0.{number}/24', 'dev', 'v0'],
                          ['link', 'set', 'v0', 'up'], ['link', 'set', 'lo', 'up']):
                subprocess.run(['ip', '-n', name, *words], check=True)
        yield [('ip', 'netns', 'exec', name) for name in names]
    finally:
        for name in names:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


@pytest.mark.slow
def test_two_machines_train_what_one_trains(two_machines, tmp_path):
    """Two namespaces with two processes each, 10.77.0.1 and .2, and one with four."""
    jobs = nodes(tmp_path / 'two', nproc=2, prefixes=two_machines, address='10.77.0.1',
                 PORT='29500', GLOO_SOCKET_IFNAME='v0')
    assert wait_all(tmp_path / 'two', jobs, 2 * LIMIT) == [0, 0]
    assert run(tmp_path / 'one', nproc=4, limit=2 * LIMIT)[0] == 0
    assert same_weights(tmp_path / 'one', tmp_path / 'two')


@pytest.mark.slow
def test_two_launchers_of_one_machine_train_what_one_trains(tmp_path):
    assert wait_all(tmp_path / 'two', nodes(tmp_path / 'two', nproc=2), 2 * LIMIT) == [0, 0]
    assert run(tmp_path / 'one', nproc=4, limit=2 * LIMIT)[0] == 0
    assert same_weights(tmp_path / 'one', tmp_path / 'two')


@pytest.mark.slow
def test_a_machine_whose_cable_is_cut_ends_the_job(two_machines, tmp_path):
    """No connection is closed then: nobody but the heartbeat notices before the timeout."""
    jobs = nodes(tmp_path, 'trouble.what=hang', 'trouble.when=val', 'train_cfg.val_interval=2',
                 'env_cfg.dist_cfg.silence=12', prefixes=two_machines, address='10.77.0.1',
                 PORT='29500', GLOO_SOCKET_IFNAME='v0')
    deadline = time.monotonic() + LIMIT
    while latest_checkpoint(tmp_path) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    subprocess.run(['ip', '-n', two_machines[1][3], 'link', 'set', 'v0', 'down'], check=True)
    codes = wait_all(tmp_path, jobs)
    assert 0 not in codes
    assert re.search(r'Rank 1 \(process \d+ on .*\) died', said(tmp_path, 'node0'))
