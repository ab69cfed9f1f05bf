"""Percentiles by hand, warm-up on made-up times, stages of a made-up clock."""

import subprocess
import sys

import pytest
import torch

from segplug.analysis import latency
from segplug.analysis.latency import Latency, PeakMemory, Stages, timed, warm_up

CPU = torch.device('cpu')


def test_percentiles_by_hand():
    """Of 0.1 ... 1.1 s, eleven values: the middle one, the tenth, and nine tenths of the way from
    the tenth to the last. Sum 6.6, so 0.6 s on average for 3 images: 5 images a second."""
    found = Latency(tuple((i + 1) / 10 for i in reversed(range(11))), images=3)
    assert [found.percentile(q) for q in latency.PERCENTILES] == pytest.approx([0.6, 1.0, 1.09])
    assert found.mean == pytest.approx(0.6)
    assert found.images_per_second == pytest.approx(5)


@pytest.mark.parametrize(('times', 'calls', 'stable'), [
    # The medians of 5 are equal from the first two on.
    ([1.0] * 20, 10, True),
    # A compilation first: medians do not see it.
    ([60.0] + [1.0] * 20, 2, False), ([15.0] + [1.0] * 20, 6, False),
    ([9.0] + [0.1] * 20, 10, True),
    # 10 % faster with each call: never done; slower is no warming up.
    ([0.9 ** i for i in range(200)], 100, False),
    ([1.1 ** i / 10 for i in range(200)], 10, True),
    # From the eighth call on half the time: of calls 5-9 the median is 1, of 6-10 and 11-15 0.5.
    ([1.0] * 7 + [0.5] * 20, 15, True),
])
def test_warm_up_ends_when_it_gets_no_faster(times, calls, stable):
    left = iter(times)
    found = warm_up(lambda: next(left))
    assert (found.calls, found.stable, found.first) == (calls, stable, times[0])


def test_a_slow_call_is_made_twice_at_least():
    assert warm_up(lambda: 1000.0).calls == 2
    assert warm_up(lambda: 0.0, max_calls=4).calls == 4


class _Worker:
    def double(self, x):
        return 2 * x


def test_stages_add_up_and_leave_no_trace(monkeypatch):
    ticks = iter([0, 3, 10, 14, 20, 25])
    monkeypatch.setattr(latency.time, 'perf_counter', lambda: next(ticks))
    stages, worker = Stages(CPU), _Worker()
    with stages.of(worker, 'double', 'a'):
        assert worker.double(torch.ones(2, 3)).sum() == 12
        worker.double(torch.ones(1))
    assert vars(worker) == {}
    assert (stages.seconds, stages.inputs) == ({'a': 3 + 4}, {'a': [(2, 3), (1,)]})
    worker.double = lambda x: x
    with stages.of(worker, 'double', 'b'):
        pass
    assert worker.double(5) == 5
    assert timed(lambda: None, CPU) == 5


def test_a_gpu_is_idle_at_both_ends_of_a_call(monkeypatch):
    seen, gpu = [], torch.device('cuda', 1)
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda device: seen.append(device))
    monkeypatch.setattr(latency.time, 'perf_counter', lambda: seen.append('clock') or len(seen))
    assert timed(lambda: seen.append('call'), gpu) == 5 - 2
    assert seen == [gpu, 'clock', 'call', gpu, 'clock']


def test_peak_memory_of_a_gpu_is_the_allocators_from_here_on(monkeypatch):
    seen, gpu = [], torch.device('cuda', 1)
    monkeypatch.setattr(torch.cuda, 'reset_peak_memory_stats', lambda device: seen.append(device))
    monkeypatch.setattr(torch.cuda, 'max_memory_allocated', lambda device: seen.append(device) or 7)
    with PeakMemory(gpu) as peak:
        seen.append('work')
    assert seen == [gpu, 'work', gpu]
    assert (peak.num_bytes, peak.definition) == (7, 'of torch on the GPU, with weights')


def test_peak_memory_of_a_cpu():
    if not latency._forget_peak():
        pytest.skip('this system keeps no account of a process')
    # A process of its own: what other tests left may be given back meanwhile.
    code = """
import numpy as np
import torch
from segplug.analysis.latency import PeakMemory
for size in (8_000_000, 0):
    with PeakMemory(torch.device('cpu')) as peak:
        values = np.ones(size)
        del values
    print(peak.num_bytes)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    large, nothing = map(int, done.stdout.split())
    assert 60e6 < large < 80e6  # 64 MB
    assert nothing < 5e6
