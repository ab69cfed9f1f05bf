"""The shell scripts: their syntax, what they say when used wrongly, and what they run."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# How run_tests.sh calls it: two at a time.
PYTEST = '-m|pytest|-n|2|--dist|loadfile'
SCRIPTS = [*sorted((ROOT / 'tools').glob('*.sh')), ROOT / '.ci' / 'run']
# The least that tools/_setup.sh needs of a checkout.
CHECKOUT = ('tools', 'requirements', 'setup.cfg', 'setup.py')


def bash(script: Path, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess:
    inherited = {name: value for name, value in os.environ.items() if name != 'PYTHON'}
    return subprocess.run(['bash', str(script), *arguments], cwd=cwd, env=inherited | env,
                          text=True, capture_output=True, stdin=subprocess.DEVNULL)


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/bash\n{body}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout without .venv, in a folder whose name has a space."""
    root = tmp_path / 'a checkout'
    root.mkdir()
    for name in CHECKOUT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    return root


@pytest.fixture
def ready_checkout(checkout) -> Path:
    """One whose .venv has a python that is the running one, but says what -m is asked to run."""
    make_ready(checkout / '.venv')
    return checkout


def make_ready(venv: Path) -> Path:
    return executable(venv / 'bin' / 'python', f"""
if [ "$1" = -m ]; then printf '%s|' "$@"; echo; exit ${{FAKE_EXIT:-0}}; fi
exec {sys.executable} "$@" """)


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_syntax(script):
    assert subprocess.run(['bash', '-n', str(script)]).returncode == 0


@pytest.mark.parametrize(('script', 'arguments'), [
    ('dist_train.sh', []), ('dist_train.sh', ['config.py']),
    ('dist_train.sh', ['config.py', '--work-dir', 'x']),
    ('dist_test.sh', ['config.py', 'model.pth']),
    ('dist_test.sh', ['config.py', 'model.pth', '-1']),
    ('quickstart.sh', ['--fast']),
])
def test_wrong_arguments_give_the_usage(script, arguments, tmp_path):
    done = bash(ROOT / 'tools' / script, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: ')
    assert f'bash tools/{script}' in done.stderr
    assert done.stderr.count('\n') <= 2
    assert done.stdout == ''


@pytest.mark.parametrize('script', [s for s in SCRIPTS if s.suffix == '.sh' and s.name[0] != '_'],
                         ids=lambda path: path.name)
def test_help_is_the_usage_and_does_nothing(script, tmp_path):
    done = bash(script, '--help', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'usage: bash tools/{script.name}')


def test_dist_train_hands_everything_on(ready_checkout, tmp_path):
    done = bash(ready_checkout / 'tools' / 'dist_train.sh', 'my config.py', '2', '--amp', 'a b',
                cwd=tmp_path)
    assert done.stdout.strip().split('|') == [
        '-m', 'segplug.cli.launch', '--nproc', '2', f'{ready_checkout}/tools/train.py',
        'my config.py', '--launcher', 'pytorch', '--amp', 'a b', '']


def test_dist_test_hands_everything_on(ready_checkout, tmp_path):
    done = bash(ready_checkout / 'tools' / 'dist_test.sh', 'c.py', 'm.pth', '4', '--aug-test',
                cwd=tmp_path)
    assert done.stdout.strip().split('|') == [
        '-m', 'segplug.cli.launch', '--nproc', '4', f'{ready_checkout}/tools/test.py',
        'c.py', 'm.pth', '--launcher', 'pytorch', '--aug-test', '']


def test_exit_codes_pass_through(ready_checkout, tmp_path):
    done = bash(ready_checkout / 'tools' / 'dist_train.sh', 'c.py', '2', cwd=tmp_path,
                FAKE_EXIT='7')
    assert done.returncode == 7


def test_python_variable_comes_before_the_venv(ready_checkout, tmp_path):
    other = executable(tmp_path / 'other', 'echo other')
    done = bash(ready_checkout / 'tools' / 'dist_train.sh', 'c.py', '2', cwd=tmp_path,
                PYTHON=str(other))
    assert done.stdout == 'other\n'


def test_run_tests_installs_once(ready_checkout, tmp_path):
    script = ready_checkout / 'tools' / 'run_tests.sh'
    first = bash(script, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count('|install|') == 3  # setuptools and wheel, requirements, the project
    second = bash(script, '-x', 'tests/ops', cwd=tmp_path)
    assert '|install|' not in second.stdout
    assert second.stdout.strip().splitlines()[-1] == f'{PYTEST}|-x|tests/ops|'
    with (ready_checkout / 'requirements' / 'tests.txt').open('a') as file:
        file.write('another-package\n')
    assert bash(script, cwd=tmp_path).stdout.count('|install|') == 3


def test_run_tests_slow_asks_for_every_marker(ready_checkout, tmp_path):
    done = bash(ready_checkout / 'tools' / 'run_tests.sh', 'tests/ops', '--slow', cwd=tmp_path)
    assert done.stdout.strip().splitlines()[-1] == f'{PYTEST}|-m||tests/ops|'


def test_every_install_is_held_to_the_tested_versions(ready_checkout, tmp_path):
    lines = bash(ready_checkout / 'tools' / 'run_tests.sh', cwd=tmp_path).stdout.splitlines()
    installs = [line for line in lines if '|install|' in line]
    constraints = ready_checkout / '.venv' / 'constraints.txt'
    assert all(f'|-c|{constraints}|' in line for line in installs)
    assert constraints.read_text() == (ROOT / 'requirements' / 'constraints.txt').read_text()


def names_in(requirements: Path) -> set[str]:
    lines = [line for line in requirements.read_text().splitlines() if line[:1] not in ('#', '')]
    return {re.split('[<>=;]', line)[0].strip() for line in lines}


def test_forks_and_torch_take_the_place_of_the_tested_ones(checkout, tmp_path):
    venv = checkout / '.venv-forks-torch2.4.1'
    make_ready(venv)
    done = bash(checkout / 'tools' / 'run_tests.sh', '--forks', '--torch', '2.4.1', 'tests/ops',
                cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f'|-r|{venv}/requirements.txt|' in done.stdout
    assert done.stdout.strip().splitlines()[-1] == f'{PYTEST}|tests/ops|'
    lines = (venv / 'requirements.txt').read_text().splitlines()
    assert [line for line in lines if line.startswith('torch')] == ['torch==2.4.1']
    asked = names_in(venv / 'requirements.txt')
    assert asked >= {'torch', 'onedl-mmengine', 'onedl-mmcv', 'numpy', 'numba', 'pytest'}
    pinned = names_in(venv / 'constraints.txt')
    assert pinned >= {'onedl-mmengine', 'onedl-mmcv', 'numpy', 'numba', 'pytest'}
    assert not asked & {'mmengine', 'mmcv-lite'}
    assert not pinned & {'torch', 'sympy', 'setuptools'}
    assert not (checkout / '.venv').exists()


def test_another_python_has_an_environment_of_its_own(checkout, tmp_path):
    venv = checkout / f'.venv-python{sys.version_info.major}.{sys.version_info.minor}'
    make_ready(venv)
    done = bash(checkout / 'tools' / 'run_tests.sh', '--python', sys.executable, '-x', cwd=tmp_path)
    assert done.stdout.strip().splitlines()[-1] == f'{PYTEST}|-x|', done.stderr
    done = bash(checkout / 'tools' / 'run_tests.sh', '--python', 'python2.9', cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith('segplug needs Python 3.10 or newer, and python2.9 is none')


def test_an_option_without_its_version_gives_the_usage(checkout, tmp_path):
    done = bash(checkout / 'tools' / 'run_tests.sh', '--torch', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: bash tools/run_tests.sh [--slow] [--forks]')


@pytest.mark.parametrize('script', ['run_tests.sh', 'quickstart.sh'])
def test_python_too_old_is_one_sentence(script, checkout, tmp_path):
    for name in ('python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'):
        executable(tmp_path / 'bin' / name, '[ "$1" = -V ] && echo Python 3.8.18; exit 1')
    done = bash(checkout / 'tools' / script, cwd=tmp_path, PATH=f'{tmp_path}/bin:/usr/bin:/bin')
    assert done.returncode == 1
    assert done.stderr.startswith('segplug needs Python 3.10 or newer, and none was found')
    assert 'Python 3.8.18' in done.stderr
    assert done.stderr.count('\n') == 1
    assert not (checkout / '.venv').exists()


def test_a_failing_download_ends_with_one_sentence(checkout, tmp_path):
    # The pip of the running Python, which has what builds packages, and no index.
    executable(checkout / '.venv' / 'bin' / 'python', f'exec {sys.executable} "$@"')
    requirements = checkout / 'requirements' / 'runtime.txt'
    requirements.write_text('a-package-that-no-index-has\n')
    done = bash(checkout / 'tools' / 'quickstart.sh', cwd=tmp_path, PIP_NO_INDEX='1',
                PIP_FIND_LINKS='')
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith('segplug could not install its packages')
    assert not list((checkout / '.venv').glob('*.stamp'))
