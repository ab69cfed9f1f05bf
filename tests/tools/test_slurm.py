"""The slurm scripts with an ``srun`` of our own on PATH, which notes its arguments and starts the
tasks as processes of this machine; and ranks that mpirun would start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segplug.engine.distributed import free_port

ROOT = Path(__file__).resolve().parents[2]
# --ntasks processes with what slurm tells each; the job fails with the first that does.
SRUN = '''#!{python}
import json, os, subprocess, sys
arguments = sys.argv[1:]
json.dump(arguments, open({note!r}, 'w'))
first = next(i for i, word in enumerate(arguments) if not word.startswith('-') and i > 1)
options = dict(word.split('=', 1) for word in arguments[:first] if '=' in word)
count = int(options['--ntasks'])
if os.environ.get('ONLY_NOTE'):
    sys.exit(0)
tasks = [subprocess.Popen(arguments[first:], env=dict(
    os.environ, SLURM_PROCID=str(n), SLURM_LOCALID=str(n), SLURM_NTASKS=str(count),
    SLURM_TASKS_PER_NODE=str(count), SLURM_NODELIST='here', SLURM_JOB_ID='{job}',
    SLURM_CPUS_PER_TASK=options['--cpus-per-task'])) for n in range(count)]
sys.exit(max(task.wait() for task in tasks))
'''


@pytest.fixture
def slurm(tmp_path):
    """Run a script of tools/ there; gives the result and the words that srun got."""
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    note = tmp_path / 'arguments.json'
    srun.write_text(SRUN.format(python=sys.executable, note=str(note), job=12345))
    srun.chmod(0o755)

    def call(script, *arguments, **env):
        done = subprocess.run(
            ['bash', str(ROOT / 'tools' / script), *arguments], cwd=tmp_path, text=True,
            capture_output=True, timeout=240, env={
                **os.environ, 'PATH': f'{srun.parent}:{os.environ["PATH"]}',
                'CUDA_VISIBLE_DEVICES': '-1', 'PYTHON': sys.executable,
                'MASTER_PORT': str(free_port()), **env})
        return done, json.loads(note.read_text()) if note.exists() else None

    return call


def test_train_asks_as_mmsegmentation_does(slurm):
    done, words = slurm('slurm_train.sh', 'gpu', 'a job', 'my config.py', '--amp', ONLY_NOTE='1')
    assert done.returncode == 0, done.stderr
    assert words == [
        '-p', 'gpu', '--job-name=a job', '--gres=gpu:4', '--ntasks=4', '--ntasks-per-node=4',
        '--cpus-per-task=5', '--kill-on-bad-exit=1', sys.executable, '-u',
        f'{ROOT}/tools/train.py', 'my config.py', '--amp', '--launcher', 'slurm']


def test_test_takes_the_checkpoint_and_the_variables(slurm):
    done, words = slurm('slurm_test.sh', 'gpu', 'job', 'c.py', 'm.pth', '--aug-test',
                        ONLY_NOTE='1', GPUS='16', GPUS_PER_NODE='8', CPUS_PER_TASK='2',
                        SRUN_ARGS='--quotatype=spot --signal=USR1@120')
    assert done.returncode == 0, done.stderr
    assert words == [
        '-p', 'gpu', '--job-name=job', '--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8',
        '--cpus-per-task=2', '--kill-on-bad-exit=1', '--quotatype=spot', '--signal=USR1@120',
        sys.executable, '-u', f'{ROOT}/tools/test.py', 'c.py', 'm.pth', '--aug-test',
        '--launcher', 'slurm']


@pytest.mark.parametrize(('script', 'arguments'), [
    ('slurm_train.sh', ['gpu', 'job']), ('slurm_test.sh', ['gpu', 'job', 'config.py'])])
def test_too_few_arguments_give_one_usage_sentence(script, arguments, slurm):
    done, words = slurm(script, *arguments)
    assert (done.returncode, words) == (2, None)
    assert done.stderr.startswith('usage: ')
    assert f'bash tools/{script} PARTITION JOB_NAME CONFIG' in done.stderr


def test_without_slurm_it_says_so(tmp_path):
    done = subprocess.run(['bash', str(ROOT / 'tools' / 'slurm_train.sh'), 'p', 'j', 'c.py'],
                          capture_output=True, text=True,
                          env={**os.environ, 'PATH': '/usr/bin:/bin'})
    assert (done.returncode, done.stderr.count('\n')) == (1, 1)
    assert done.stderr.startswith('srun was not found')


@pytest.mark.slow
def test_a_network_is_trained_and_tested_on_two_tasks(slurm, minicity, tmp_path):
    config, work = 'unet/unet_r18_minicity.py', tmp_path / 'work'
    tasks = dict(GPUS='2', GPUS_PER_NODE='0', TASKS_PER_NODE='2', CPUS_PER_TASK='1')
    arguments = ['--work-dir', str(work), '--data-root', str(minicity)]
    done, words = slurm('slurm_train.sh', 'cpu', 'job', config, *arguments, '--cfg-options',
                        'train_cfg.max_iters=2', 'train_dataloader.batch_size=1',
                        'default_hooks.checkpoint.interval=2', **tasks)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert '--gres' not in ' '.join(words)
    done, _ = slurm('slurm_test.sh', 'cpu', 'job', config, str(work / 'iter_2.pth'), *arguments,
                    **tasks)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert 'mIoU' in done.stdout


@pytest.mark.slow
def test_ranks_of_mpirun_meet_on_a_cpu(tmp_path):
    toy = ROOT / 'tests' / 'engine' / 'trouble_toy.py'
    common = {**os.environ, 'CUDA_VISIBLE_DEVICES': '-1', 'OMPI_COMM_WORLD_SIZE': '2',
              'OMPI_COMM_WORLD_LOCAL_SIZE': '2', 'MASTER_PORT': str(free_port())}
    ranks = [subprocess.Popen(
        [sys.executable, str(toy), str(tmp_path), 'launcher=mpi'], stdout=subprocess.DEVNULL,
        env={**common, 'OMPI_COMM_WORLD_RANK': str(n), 'OMPI_COMM_WORLD_LOCAL_RANK': str(n)})
        for n in range(2)]
    assert [rank.wait(180) for rank in ranks] == [0, 0]
    assert (tmp_path / 'iter_8.pth').is_file()
