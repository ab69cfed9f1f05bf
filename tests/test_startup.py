"""What is not imported before the first iteration, and the collector that rests until it.

No times here: `benchmarks/bench_startup.py` takes them.
"""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from segplug import startup

# Each would cost the start of every training 0.05 to 0.5 s, and few use it.
NEEDLESS = ('matplotlib', 'pandas', 'scipy.ndimage', 'scipy.io', 'medpy',
            'torchvision', 'onnx', 'wandb')
ROOT = Path(__file__).parents[1]
CONFIG = f"""
_base_ = {str(ROOT / 'configs/unet/unet_r18_minicity.py')!r}
custom_imports = dict(imports=['spy'])
custom_hooks = [dict(type='Spy')]
train_cfg = dict(max_iters=1)
val_dataloader = None
train_dataloader = dict(num_workers=0, persistent_workers=False, batch_size=2)
default_hooks = dict(checkpoint=None)
"""
# Run as a module of ``custom_imports``: says what is there when the first step has been taken.
SPY = """
import gc, json, sys
from mmengine.hooks import Hook
from segplug.registry import HOOKS

@HOOKS.register_module()
class Spy(Hook):
    def after_train_iter(self, runner, *args, **kwargs):
        print('SPY' + json.dumps(dict(modules=sorted(sys.modules), collects=gc.isenabled(),
                                      frozen=gc.get_freeze_count())))
"""


@pytest.fixture(scope='module')
def first_iteration(tmp_path_factory):
    """What the spy saw in ``segplug train`` of mini Cityscapes."""
    folder = tmp_path_factory.mktemp('start')
    (folder / 'spy.py').write_text(SPY)
    (folder / 'config.py').write_text(CONFIG)
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), str(folder)])}
    start = [sys.executable, '-m', 'segplug.cli.main']
    subprocess.run([*start, 'make-minicity', 'data', '--train', '2', '--val', '1', '--test', '1'],
                   cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [*start, 'train', 'config.py', '--data-root', 'data', '--work-dir', 'out'], cwd=folder,
        env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith('SPY'))
    return json.loads(line.removeprefix('SPY'))


def test_a_training_imports_nothing_needless(first_iteration):
    found = first_iteration['modules']
    assert 'torch' in found
    assert [name for name in NEEDLESS if name in found] == []


@pytest.mark.skipif(torch.__version__.startswith(tuple(f'2.{n}.' for n in range(13))),
                    reason='mmengine imports FSDP, which imports the compiler in torch 2.4')
def test_a_training_imports_no_compiler(first_iteration):
    assert 'torch._dynamo' not in first_iteration['modules']


def test_the_collector_works_from_the_first_iteration_on(first_iteration):
    assert first_iteration['collects']
    assert first_iteration['frozen'] > 100_000  # torch alone makes more that stay


def _as_usual():
    return gc.isenabled() and not gc.get_freeze_count()


def test_the_collector_rests_until_it_is_awake():
    with startup.collector_rests():
        assert not gc.isenabled()
        startup.settle()
        assert gc.get_freeze_count()
        startup.awake()
        assert gc.isenabled()
        startup.settle()  # nothing any more: what is made now may be garbage
    assert _as_usual()


def test_after_an_error_all_is_as_before():
    @startup.collector_rests()
    def fails():
        startup.settle()
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert _as_usual()


def test_who_has_set_the_collector_keeps_it():
    gc.disable()
    try:
        with startup.collector_rests(), startup.importing():
            startup.settle()
            startup.awake()
            assert (gc.isenabled(), gc.get_freeze_count()) == (False, 0)
        assert not gc.isenabled()
    finally:
        gc.enable()
    startup.settle()
    assert not gc.get_freeze_count()


def test_no_collection_within_an_import():
    with startup.importing():
        assert not gc.isenabled()
        with startup.importing():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork')
def test_a_forked_worker_collects():
    code = ('import gc, os\nfrom segplug.startup import collector_rests\n'
            'with collector_rests():\n'
            '    child = os.fork()\n'
            '    if not child: os._exit(3 if gc.isenabled() else 4)\n'
            '    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n'
            '    assert not gc.isenabled()\n')
    subprocess.run([sys.executable, '-W', 'error', '-c', code], check=True, cwd=ROOT)
