"""A short version of the soak with SIGKILL; its whole is ``python tests/soak/kill9.py``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != 'linux', reason="counts in Linux's clock of a process")
def test_killed_runs_resume_to_the_same_bits(repo_root, tmp_path):
    """Two kills in the run and two in a write, with one and with all checkpoints kept."""
    script = Path(__file__).with_name('kill9.py')
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': '-1', 'PYTHONPATH': str(repo_root),
           'OMP_NUM_THREADS': '1', 'TMPDIR': str(tmp_path)}
    job = subprocess.run([sys.executable, script, '--spread', '2', '--aimed', '2'], env=env,
                         capture_output=True, text=True, timeout=600)
    assert job.returncode == 0, job.stdout[-3000:] + job.stderr[-3000:]
    assert '8 of 8 resumed and ended in the same bits' in job.stdout
