"""The mean over ranks does not depend on where a number stands; tests/engine/test_resume.py has
whole runs of three processes."""

import os
import subprocess
from pathlib import Path

import numpy as np
import torch
from torch import nn

from segplug.engine.distributed import launch_command
from segplug.engine.rank_order import keep_rank_order

JOB = """
import sys
import numpy as np, torch, torch.distributed as dist
from segplug.engine.distributed import leave
from segplug.engine.rank_order import mean_in_rank_order

dist.init_process_group('gloo')
draws = np.random.default_rng(0)
values = draws.normal(size=(3, 1001)).astype('float32')  # 3 does not divide 1001
places = draws.permutation(1001)
mine = torch.from_numpy(values[dist.get_rank()])
mean = mean_in_rank_order(mine).numpy()
moved = mean_in_rank_order(mine[places]).numpy()
if dist.get_rank() == 2:
    np.savez(sys.argv[1], values=values, mean=mean, moved=moved, places=places)
leave()
"""


def test_the_place_of_a_number_does_not_change_its_mean(tmp_path):
    script, out = tmp_path / 'job.py', tmp_path / 'out.npz'
    script.write_text(JOB)
    env = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2]), 'OMP_NUM_THREADS': '1'}
    job = subprocess.run(launch_command(3, [str(script), str(out)]), env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert job.returncode == 0, job.stdout[-3000:]
    with np.load(out) as results:
        first, second, third = results['values']
        np.testing.assert_array_equal(results['mean'], ((first + second) + third) / np.float32(3))
        np.testing.assert_array_equal(results['moved'], results['mean'][results['places']])


def test_what_is_not_wrapped_is_left_alone():
    keep_rank_order(nn.Linear(2, 2), 'cpu')  # asks for no process group
    assert not torch.distributed.is_initialized()
