"""The wheel holds the package and the shipped configs, and works where there is no checkout."""

import email
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from segplug.apis.new_plugin import template_files

ROOT = Path(__file__).resolve().parents[1]
# What a build reads; a copy of it, so that no build folder is left in the checkout.
BUILD_INPUTS = ('setup.py', 'setup.cfg', 'MANIFEST.in', 'README.md', 'LICENSE', 'NOTICE',
                'requirements', 'segplug', 'configs', 'examples')


def files_below(folder: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob('*')
            if path.is_file() and '__pycache__' not in path.parts}


def run(command: list, cwd: Path, target: Path | None = None) -> str:
    """The output of ``command``, which has to end with 0; ``target`` is where segplug is found."""
    env = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    if target:
        env['PYTHONPATH'] = str(target)
    done = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, env=env,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory) -> Path:
    """A wheel of the checkout, built offline."""
    source, out = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('wheel')
    for name in BUILD_INPUTS:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(path, source / name)
    run(['-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--use-pep517', '--no-index',
         '--wheel-dir', out, source], cwd=out)
    return next(out.glob('segplug-*.whl'))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that the wheel is installed into, away from the checkout."""
    target = tmp_path_factory.mktemp('installed')
    run(['-m', 'pip', 'install', '--no-deps', '--no-index', '--target', target, wheel], cwd=target)
    return target


def test_the_wheel_holds_package_and_configs_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    in_package = {name for name in names if '.dist-info/' not in name}
    expected = files_below('segplug') | {f'segplug/{name}' for name in files_below('configs')} | {
        f'segplug/plugin_template/{file.as_posix()}' for file in template_files()}
    assert in_package == expected


def test_the_wheel_names_its_requirements_and_command(wheel):
    archive = zipfile.ZipFile(wheel)
    texts = {Path(name).name: archive.read(name).decode() for name in archive.namelist()
             if '.dist-info/' in name}
    required = email.message_from_string(texts['METADATA']).get_all('Requires-Dist')
    lines = (ROOT / 'requirements' / 'runtime.txt').read_text().splitlines()
    assert [item for item in required if 'extra ==' not in item] == [
        line for line in lines if line and not line.startswith('#')]
    assert 'segplug = segplug.cli.main:main' in texts['entry_points.txt']
    assert {'LICENSE', 'NOTICE'} <= set(texts)


def test_the_command_runs_without_a_checkout(installed, tmp_path):
    where = run(['-c', 'import segplug; print(segplug.__file__)'], tmp_path, installed)
    assert Path(where.strip()) == installed / 'segplug' / '__init__.py'
    assert 'usage: segplug VERB' in run(['-m', 'segplug.cli.main', '--help'], tmp_path, installed)


def test_a_shipped_config_trains_by_name_on_two_processes(installed, minicity, tmp_path):
    said = run(['-m', 'segplug.cli.main', 'train', 'unet/unet_r18_minicity.py', '--nproc', '2',
                '--data-root', minicity, '--work-dir', tmp_path / 'work', '--cfg-options',
                'train_cfg.max_iters=2', 'train_cfg.val_interval=2',
                'train_dataloader.batch_size=1', 'train_dataloader.num_workers=0',
                'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
                'val_dataloader.persistent_workers=False',
                'default_hooks.checkpoint.interval=2'], tmp_path, installed)
    assert list((tmp_path / 'work').glob('*.pth')), said[-4000:]
