"""A plugin from the template, which is examples/plugin: installed by pip it is found through its
entry point, and keeps its contract; as plain files it is found through custom_imports. Both train
two iterations with its head."""

import os
import subprocess
import sys
import sysconfig
import venv

import pytest

from segplug.apis.new_plugin import new_plugin

OPTIONS = {
    'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8,
    'model.decode_head.in_channels': 64, 'model.decode_head.channels': 16,
    'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False, 'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'train_dataloader.dataset.pipeline.2.crop_size': '(64,64)',
    'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2}


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    """The package that `segplug plugins new my_heads` writes."""
    return new_plugin('my_heads', tmp_path_factory.mktemp('plugin') / 'my-heads-plugin')


@pytest.fixture(scope='module')
def python(sources, tmp_path_factory, repo_root):
    """An interpreter that has it, by `pip install -e`, beside all that this one has."""
    folder = tmp_path_factory.mktemp('venv')
    venv.create(folder, with_pip=False)
    python = folder / 'bin' / 'python'
    places = sysconfig.get_paths(vars=dict(base=str(folder), platbase=str(folder)))['purelib']
    with open(f'{places}/base.pth', 'w', encoding='utf-8') as file:
        file.write(f'{sysconfig.get_paths()["purelib"]}\n{repo_root}\n')
    subprocess.run([python, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index',
                    '--no-build-isolation', '-e', str(sources)], check=True)
    return python


def segplug(*argv, python=sys.executable, cwd=None, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run([python, '-m', 'segplug.cli.main', *map(str, argv)], cwd=cwd,
                          env=environment, capture_output=True, text=True, check=False,
                          timeout=120)


def train(config, minicity, work_dir, *extra, **kwargs):
    return segplug('train', config, '--data-root', minicity, '--work-dir', work_dir,
                   '--cfg-options', *(f'{k}={v}' for k, v in OPTIONS.items()), *extra, **kwargs)


def test_it_is_listed_and_trains_through_its_entry_point(python, sources, minicity, tmp_path):
    listed = segplug('plugins', 'list', python=python)
    assert 'my-heads' in listed.stdout.replace('_', '-')
    assert 'loaded' in listed.stdout
    done = train(sources / 'configs' / 'my_r18_minicity.py', minicity, tmp_path, python=python)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'iter_2.pth').is_file()


def test_it_trains_through_custom_imports_from_where_one_stands(sources, minicity, tmp_path):
    config = sources / 'configs' / 'local.py'
    config.write_text("_base_ = ['my_r18_minicity.py']\n"
                      "custom_imports = dict(imports=['my_heads'])\n")
    done = train(config, minicity, tmp_path, cwd=sources)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'iter_2.pth').is_file()


def test_without_discovery_its_head_is_unknown_by_name_and_place(
        python, sources, minicity, tmp_path):
    config = sources / 'configs' / 'my_r18_minicity.py'
    done = train(config, minicity, tmp_path, python=python, SEGPLUG_NO_PLUGINS='1')
    assert done.returncode == 1
    assert "'MyHead' is not a known model" in done.stderr
    assert f'{config}:' in done.stderr


def test_the_plugins_own_tests_pass(python, sources):
    """One of them is that of `segplug plugins check`."""
    done = subprocess.run([python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'],
                          cwd=sources, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


def test_it_is_checked_by_name(python, sources):
    done = segplug('plugins', 'check', 'my-heads', python=python, cwd=sources.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '0 failed, 0 skipped; 0 not built' in done.stdout
