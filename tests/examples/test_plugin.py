"""The example plugin: installed by pip it is found through its entry point; as plain files, through
custom_imports. Both train two iterations with its head."""

import os
import shutil
import subprocess
import sys

import pytest

OPTIONS = {
    'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8,
    'model.decode_head.in_channels': 64, 'model.decode_head.channels': 16,
    'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False, 'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'train_dataloader.dataset.pipeline.2.crop_size': '(64,64)',
    'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2}


@pytest.fixture(scope='module')
def sources(repo_root, tmp_path_factory):
    """A copy, so that building leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp('plugin') / 'plugin'
    shutil.copytree(repo_root / 'examples' / 'plugin', folder,
                    ignore=shutil.ignore_patterns('build', '*.egg-info', '__pycache__'))
    return folder


@pytest.fixture(scope='module')
def installed(sources, tmp_path_factory):
    """The folder that pip installed the plugin into."""
    target = tmp_path_factory.mktemp('target')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index',
                    '--no-build-isolation', '--target', str(target), str(sources)], check=True)
    return target


def segplug(*argv, path=None, cwd=None, **environment):
    environment = {**os.environ, 'PYTHONPATH': str(path or ''), **environment}
    return subprocess.run([sys.executable, '-m', 'segplug.cli.main', *map(str, argv)], cwd=cwd,
                          env=environment, capture_output=True, text=True, check=False,
                          timeout=120)


def train(config, minicity, work_dir, *extra, **kwargs):
    return segplug('train', config, '--data-root', minicity, '--work-dir', work_dir,
                   '--cfg-options', *(f'{k}={v}' for k, v in OPTIONS.items()), *extra, **kwargs)


def test_it_is_listed_and_trains_through_its_entry_point(installed, sources, minicity, tmp_path):
    listed = segplug('plugins', 'list', path=installed)
    assert 'segplug-gated' in listed.stdout.replace('_', '-')
    assert 'loaded' in listed.stdout
    done = train(sources / 'configs' / 'gated_r18_minicity.py', minicity, tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'iter_2.pth').is_file()


def test_it_trains_through_custom_imports_from_where_one_stands(sources, minicity, tmp_path):
    config = sources / 'configs' / 'local.py'
    config.write_text("_base_ = ['gated_r18_minicity.py']\n"
                      "custom_imports = dict(imports=['segplug_gated'])\n")
    done = train(config, minicity, tmp_path, cwd=sources)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'iter_2.pth').is_file()


def test_without_discovery_its_head_is_unknown_by_name_and_place(
        installed, sources, minicity, tmp_path):
    config = sources / 'configs' / 'gated_r18_minicity.py'
    done = train(config, minicity, tmp_path, path=installed, SEGPLUG_NO_PLUGINS='1')
    assert done.returncode == 1
    assert "'GatedHead' is not a known model" in done.stderr
    assert f'{config}:' in done.stderr


def test_the_plugins_own_test_passes(installed, sources):
    done = subprocess.run([sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'],
                          cwd=sources, env={**os.environ, 'PYTHONPATH': str(installed)},
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
