"""A full, read-only or vanished work directory ends a run in one sentence; the checkpoint before
is whole, nothing else has a final name, and the run resumes from it to the same bits."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import engine_toy
import pytest
from engine_toy import fingerprint, toy_cfg

from segplug.engine import checkpoint
from segplug.engine.runner import Runner
from segplug.engine.whole_file import refusals_told
from segplug.errors import OutputError

PLAIN = {'default_hooks.checkpoint.max_keep_ckpts': 1}


def run(folder, **options) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, **PLAIN, **options))
    with refusals_told(folder):
        runner.train()
    return runner


def resumes(folder, whole) -> None:
    """Nothing partial has a final name; ``folder`` resumes from iteration 2 to the same bits."""
    assert [p.name for p in Path(folder).glob('*.pth')] == ['iter_2.pth']
    assert not list(Path(folder).glob('.*.part'))
    resumed = run(folder, resume='auto')
    assert 'resumed epoch: 0, iter: 2' in next(
        log for path in sorted(Path(folder).glob('*/*.log'))
        if 'resumed' in (log := path.read_text()))
    assert fingerprint(resumed.model) == whole


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    return fingerprint(run(tmp_path_factory.mktemp('whole')).model)


def refuse(number):
    def call(*args, **kwargs):
        raise OSError(number, os.strerror(number))
    return call


@pytest.mark.parametrize('step', ['save', 'fsync', 'replace'])
@pytest.mark.parametrize('background', [False, True])
def test_a_refusal_at_each_step_of_the_second_checkpoint(step, background, whole, tmp_path,
                                                         monkeypatch):
    real, full = checkpoint.archive.seal, refuse(errno.ENOSPC)
    sealed = []

    def seal(file):  # the first thing after torch.save
        sealed.append(file)
        if len(sealed) == 2:
            if step == 'save':
                full()
            monkeypatch.setattr(os, step, full)
        real(file)

    monkeypatch.setattr(checkpoint.archive, 'seal', seal)
    with pytest.raises(OutputError, match=r'iter_4.pth could not be written: No space left'):
        run(tmp_path, **{'default_hooks.checkpoint.background': background})
    monkeypatch.undo()
    resumes(tmp_path, whole)


@pytest.mark.parametrize('number', [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_work_directory_that_cannot_be_written(number, tmp_path, monkeypatch):
    def mkdir(path, *args, **kwargs):
        raise OSError(number, os.strerror(number), str(path))

    runner = toy_cfg(tmp_path / 'a')
    monkeypatch.setattr(os, 'makedirs', mkdir)
    with pytest.raises(OutputError, match=os.strerror(number)), \
            refusals_told(tmp_path / 'a'):
        Runner.from_cfg(runner)


def test_a_work_directory_that_vanishes(whole, tmp_path, monkeypatch):
    """It is not made anew: what is written there would be missing where it comes back."""
    from mmengine.hooks import ParamSchedulerHook
    real = ParamSchedulerHook.after_train_iter

    def after_train_iter(self, runner, *args, **kwargs):
        real(self, runner, *args, **kwargs)
        if runner.iter == 2:
            (tmp_path / 'a').rename(tmp_path / 'elsewhere')

    monkeypatch.setattr(ParamSchedulerHook, 'after_train_iter', after_train_iter)
    with pytest.raises(OutputError, match=r'/a.* (is gone|No such file)'):
        run(tmp_path / 'a')
    monkeypatch.undo()
    assert not (tmp_path / 'a').exists()
    resumes(tmp_path / 'elsewhere', whole)


def test_other_refusals_stay_what_they_are(tmp_path):
    for error in (FileNotFoundError(errno.ENOENT, 'x', '/elsewhere/a.png'),
                  OSError(errno.ENOSPC, 'x', '/elsewhere/a.png'), ConnectionError('reset')):
        with pytest.raises(type(error)), refusals_told(tmp_path):
            raise error


# --- what the system itself refuses --------------------------------------------------------

SCRIPT = """
import resource, sys
from engine_toy import toy_cfg
from segplug.cli.main import guarded
from segplug.engine.runner import Runner
from segplug.engine.whole_file import refusals_told

def train(folder, limit):
    runner = Runner.from_cfg(toy_cfg(folder, **{'default_hooks.checkpoint.max_keep_ckpts': 1}))
    save = runner.save_checkpoint
    def second(*args, **kwargs):
        if runner.iter > 1 and limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        save(*args, **kwargs)
    runner.save_checkpoint = second
    with refusals_told(folder):
        runner.train()

sys.exit(guarded(lambda args, argv: train(sys.argv[1], int(sys.argv[2])), None, []))
"""


def start(folder, limit, wrap=()):
    root = Path(engine_toy.__file__).parents[2]
    env = {**os.environ, 'PYTHONPATH': f'{root}:{root / "tests" / "engine"}',
           'CUDA_VISIBLE_DEVICES': '-1'}
    return subprocess.run([*wrap, sys.executable, '-c', SCRIPT, str(folder), str(limit)], env=env,
                          capture_output=True, text=True, timeout=300)


@pytest.mark.skipif(not hasattr(resource, 'RLIMIT_FSIZE'), reason='no limit of file sizes here')
@pytest.mark.parametrize('limit', [3, 3000])
def test_a_limit_of_file_sizes(limit, whole, tmp_path):
    """torch.save itself fails, in its first bytes and in its middle."""
    done = start(tmp_path / 'a', limit)
    assert done.returncode == 1, done.stderr
    assert 'iter_4.pth could not be written: File too large' in done.stderr
    assert 'Traceback' not in done.stderr.split('Logging error')[0]
    resumes(tmp_path / 'a', whole)


def can_mount() -> bool:
    unshare = shutil.which('unshare')
    return unshare is not None and subprocess.run(
        [unshare, '-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], capture_output=True,
        check=False).returncode == 0


def test_a_full_disk(whole, tmp_path):
    """A tmpfs on which the first checkpoint fits and the second does not."""
    if not can_mount():
        pytest.skip('a tmpfs cannot be mounted here')
    (tmp_path / 'disk').mkdir()
    script = (f'mount -t tmpfs -o size=48k tmpfs {tmp_path}/disk && "$@"; code=$?; '
              f'cp -r {tmp_path}/disk/a {tmp_path}/copy; exit $code')
    done = start(tmp_path / 'disk' / 'a', 0,
                 wrap=['unshare', '-rm', 'sh', '-c', script, 'sh'])
    assert done.returncode == 1, done.stderr
    assert 'No space left on device' in done.stderr
    left = sorted(p.name for p in (tmp_path / 'copy').glob('*.pth'))
    for name in left:
        checkpoint.load_checkpoint(tmp_path / 'copy' / name)
    assert len(left) == 1
    assert fingerprint(run(tmp_path / 'copy', resume='auto').model) == whole
