"""The tool with mmsegmentation's name: more than 16 classes, names instead of order, a subset."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from segplug.apis.confusion_of_maps import confusion_of_maps
from segplug.cli.confusion_matrix import main
from segplug.errors import ConfigError

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'analysis_tools' / 'confusion_matrix.py'
K = 40
CONFIG = """
default_scope = 'segplug'
test_dataloader = dict(batch_size=1, num_workers=0, dataset=dict(
    type='BaseSegDataset', data_root={root!r}, metainfo=dict(classes={classes!r}),
    img_suffix='.jpg', seg_map_suffix='_label.png', ann_file='',
    data_prefix=dict(img_path='img', seg_map_path='ann'), pipeline=[]))
test_evaluator = dict(type='IoUMetric')
"""


@pytest.fixture
def tree(tmp_path):
    """Three images in two folders with labels and predictions; what should be counted of each."""
    rng = np.random.default_rng(0)
    counted = {}
    for name in ('b/1', 'a/2', 'a/3'):
        label, pred = rng.integers(0, K, (2, 8, 9), dtype=np.uint8)
        label[0] = 255
        for file, picture in ((f'img/{name}.jpg', pred), (f'ann/{name}_label.png', label),
                              (f'pred/{Path(name).name}.png', pred)):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / file), picture)
        counted[name] = np.zeros((K, K), np.int64)
        for truth, guess in zip(label.flat, pred.flat, strict=True):
            if truth != 255:
                counted[name][truth, guess] += 1
    (tmp_path / 'config.py').write_text(
        CONFIG.format(root=str(tmp_path), classes=[f'c{k}' for k in range(K)]))
    return tmp_path, counted


def test_counts_do_not_overflow(tree, capsys):
    """mmsegmentation multiplies 40 by up to 39 in 8 bits."""
    root, counted = tree
    assert main([str(root / 'config.py'), str(root / 'pred'), str(root / 'out'),
                 '--color-theme', 'OrRd', '--title', 'T']) == 0
    assert np.array_equal(np.load(root / 'out' / 'confusion_matrix.npy'), sum(counted.values()))
    assert cv2.imread(str(root / 'out' / 'confusion_matrix.png')) is not None
    assert 'Taken for' in capsys.readouterr().out


def test_only_the_images_of_the_list(tree):
    root, counted = tree
    (root / 'list.txt').write_text('a/2\nb/1\n')
    found = confusion_of_maps(
        str(root / 'config.py'), str(root / 'pred'), str(root / 'out'),
        options={'test_dataloader.dataset.ann_file': 'list.txt'})
    assert np.array_equal(found.matrix, counted['a/2'] + counted['b/1'])


def test_another_value_is_ignored(tree):
    root, counted = tree
    for file in (root / 'ann').rglob('*.png'):
        label = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(file), np.where(label == 255, 77, label))
    arguments = [str(root / 'config.py'), str(root / 'pred'), str(root / 'out')]
    assert main(arguments) == 1, '77 is no class'
    assert main([*arguments, '--ignore_index', '77']) == 0
    assert np.array_equal(np.load(root / 'out' / 'confusion_matrix.npy'), sum(counted.values()))


def test_what_cannot_be_scored_is_said(tree, capsys):
    root, _ = tree
    config = str(root / 'config.py')
    assert main([config, str(root / 'none'), str(root / 'out')]) == 1
    assert 'The folder of predictions' in capsys.readouterr().err
    (root / 'pred/2.png').unlink()
    assert main([config, str(root / 'pred'), str(root / 'out')]) == 1
    assert 'have no prediction' in capsys.readouterr().err
    with pytest.raises(ConfigError, match='has no folder of labels'):
        confusion_of_maps(config, str(root / 'pred'), str(root / 'out'),
                          options={'test_dataloader.dataset.data_prefix.seg_map_path': None})


def test_a_window_that_cannot_open_is_said(tree, capsys, monkeypatch):
    monkeypatch.setenv('MPLBACKEND', 'agg')
    root, _ = tree
    assert main([str(root / 'config.py'), str(root / 'pred'), str(root / 'out'), '--show']) == 1
    assert 'No window can be opened here' in capsys.readouterr().err


def test_the_tool_is_a_file(tmp_path):
    done = subprocess.run([sys.executable, str(TOOL), '--help'], cwd=tmp_path, text=True,
                          capture_output=True, check=True)
    assert '--color-theme' in done.stdout
