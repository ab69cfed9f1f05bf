"""A package written for mmsegmentation 1.x trains and tests, on one process and on two.

Three heads, a loss, a data set, a transform, a hook, a metric and a segmentor that import mmseg,
mmcv and mmengine only; nothing of it was changed for segplug.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PLUGIN = Path(__file__).parents[1] / 'mmseg_plugin'
# What each of the three heads is in its own run: one after the other, in one process.
ONE_BY_ONE = """
import sys
from mmengine.config import Config
from mmengine.runner import Runner
import striped

base, data_root, out = sys.argv[1:]
for name in ('focus_head', 'edge_head', 'cascade', 'mirrored'):
    cfg = Config.fromfile(base)
    cfg.work_dir, cfg.randomness = f'{out}/{name}', dict(seed=0)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = data_root
    if name != 'cascade':
        cfg.model.type = 'MirroredSegmentor' if name == 'mirrored' else 'EncoderDecoder'
        cfg.model.decode_head = cfg['edge_head' if name == 'edge_head' else 'focus_head']
        del cfg.model.num_stages, cfg.model.auxiliary_head
    runner = Runner.from_cfg(cfg)
    runner.train()
    metrics = runner.test()
    assert metrics['images'] == 5 if 'images' in metrics else metrics['own/images'] == 5
    print(name, type(runner).__module__, sorted(metrics))
"""


@pytest.fixture(scope='module')
def stripes(tmp_path_factory):
    """Five images of three classes, of differing heights."""
    root = tmp_path_factory.mktemp('stripes')
    random = np.random.RandomState(0)
    for folder in ('img', 'lab'):
        (root / folder).mkdir()
    for i in range(5):
        label = np.zeros((40 + i, 64), np.uint8)
        label[20:], label[:, 10 + i:16 + i] = 2, 1
        img = random.randint(0, 60, (40 + i, 64, 3)).astype(np.uint8) + label[..., None] * 60
        cv2.imwrite(str(root / 'img' / f'{i}_img.png'), img)
        cv2.imwrite(str(root / 'lab' / f'{i}_lab.png'), label)
    return root


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    """The config without the one line that names segplug."""
    file = tmp_path_factory.mktemp('plain') / 'config.py'
    text = (PLUGIN / 'config.py').read_text()
    assert text.count("'segplug.compat.mmseg', ") == 1
    file.write_text(text.replace("'segplug.compat.mmseg', ", ''))
    return file


def python(*argv):
    done = subprocess.run(
        [sys.executable, *map(str, argv)], capture_output=True, text=True, check=False,
        timeout=300, env={**os.environ, 'PYTHONPATH': str(PLUGIN), 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_it_imports_nothing_of_segplug():
    for file in (PLUGIN / 'striped').glob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
            assert not [name for name in names if name.split('.')[0] == 'segplug']


def test_each_head_by_itself_in_a_script_of_mmengine(stripes, plain, tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(ONE_BY_ONE)
    out = python('-W', 'ignore', '-m', 'segplug.compat.mmseg', script, plain, stripes, tmp_path)
    for name in ('focus_head', 'edge_head', 'cascade', 'mirrored'):
        assert f"{name} segplug.engine.runner ['aAcc', 'mAcc', 'mIoU', 'own/aAcc'" in out
        # Two iterations and a validation of five images, then a test of five.
        assert (tmp_path / name / 'counted.txt').read_text() == '2 5\n2 10\n'
        assert (tmp_path / name / 'iter_2.pth').is_file()
    assert 'decode.loss_focus' in out
    assert 'decode.loss_sharp' in out
    assert 'decode_1.refined' in out


@pytest.fixture(scope='module')
def trained(stripes, tmp_path_factory):
    """The work directory of a training on two processes; custom_imports lends the names."""
    folder = tmp_path_factory.mktemp('two')
    python('-m', 'segplug.cli.main', 'train', PLUGIN / 'config.py', '--nproc', 2, '--data-root',
           stripes, '--work-dir', folder)
    return folder


def test_all_of_them_on_two_processes(trained):
    assert (trained / 'iter_2.pth').is_file()
    # Two iterations; of the five images of the validation two, as the other process has three.
    assert (trained / 'counted.txt').read_text() in ('2 2\n', '2 3\n')


@pytest.mark.slow
def test_a_test_gives_the_same_on_one_and_two_processes(trained, stripes, plain, tmp_path):
    """Around the command line, which starts the processes with the names lent."""
    metrics = []
    for nproc in (1, 2):
        out = tmp_path / str(nproc)
        python('-m', 'segplug.compat.mmseg', '-m', 'segplug.cli.main', 'test', plain,
               trained / 'iter_2.pth', '--nproc', nproc, '--data-root', stripes, '--work-dir',
               out, '--out', out)
        metrics.append(json.loads((out / 'metrics.json').read_text()))
    assert metrics[0] == metrics[1]
