"""Signals that are noted, and workers that outlive them but not their process."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from segplug.engine import stopping
from segplug.engine.dataloading import build_dataloader
from segplug.engine.stopping import Stopped, StopRequest, name_of
from segplug.errors import ConfigError


@pytest.fixture
def request_():
    request = StopRequest()
    yield request
    request.restore()


def test_the_first_signal_is_noted_and_all_are_given_back(request_):
    before = signal.getsignal(signal.SIGTERM)
    request_.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert (request_.signum, name_of(request_.signum)) == (15, 'SIGTERM')
    request_.restore()
    assert signal.getsignal(signal.SIGTERM) is before


def test_before_there_is_anything_to_save_a_signal_ends_at_once(request_):
    request_.listen(['SIGTERM'])
    request_.at_once = True
    with pytest.raises(Stopped) as caught:
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143  # 128 + 15


def test_the_second_ctrl_c_does_not_wait(request_, monkeypatch):
    """Unless it comes right after the first: to a rank the same one comes from torchrun as well."""
    now = [100.0]
    monkeypatch.setattr(stopping.time, 'monotonic', lambda: now[0])
    request_.listen()
    for now[0] in (100.0, 100.5):
        os.kill(os.getpid(), signal.SIGINT)
    assert request_.signum == signal.SIGINT
    now[0] = 101.5
    with pytest.raises(Stopped) as caught:
        os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.code == 130  # 128 + 2


def test_what_is_no_signal_is_named(request_):
    with pytest.raises(ConfigError, match="'SIGTREM' is not a signal"):
        request_.listen(['SIGTREM'])


class _Pids(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return os.getpid()


def _alive(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def _gone(pid: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _alive(pid)


@pytest.mark.skipif(sys.platform != 'linux', reason='asks Linux who sent a signal')
def test_workers_outlive_the_signals_of_their_job_and_obey_their_process():
    loader = build_dataloader(dict(
        dataset=_Pids(), sampler=dict(type='DefaultSampler', shuffle=False), batch_size=1,
        num_workers=1, collate_fn=dict(type='default_collate'), prefetch_factor=1), seed=0)
    batches = iter(loader)
    pid = int(next(batches)[0])
    for name in ('INT', 'USR1', 'TERM'):  # from another process, as a scheduler's
        subprocess.run(['kill', f'-{name}', str(pid)], check=True)
    assert [int(next(batches)[0]) for _ in range(4)] == [pid] * 4
    os.kill(pid, signal.SIGTERM)
    assert _gone(pid)


JOB = '''
import os, signal, sys, torch
from segplug.engine.dataloading import build_dataloader

class Pids(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        if index == 3:
            __import__('time').sleep(600)  # a worker that would not look up
        return os.getpid()

loader = build_dataloader(dict(dataset=Pids(), sampler=dict(type='DefaultSampler', shuffle=False),
                               batch_size=1, num_workers=1, prefetch_factor=4,
                               collate_fn=dict(type='default_collate')), seed=0)
print(int(next(iter(loader))[0]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.mark.skipif(sys.platform != 'linux', reason='asks Linux for a signal')
def test_no_worker_is_left_by_a_process_that_was_killed():
    job = subprocess.run([sys.executable, '-c', JOB], stdout=subprocess.PIPE, text=True,
                         timeout=120)
    assert job.returncode == -signal.SIGKILL
    assert _gone(int(job.stdout))
