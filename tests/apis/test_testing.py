"""Scoring end to end: the same bytes for any number of processes, and the official numbers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from segplug.apis.config import load_config
from segplug.apis.testing import test as score
from segplug.cli.main import main
from segplug.datasets.minicity import make_minicity
from segplug.errors import CheckpointError, ConfigError
from segplug.registry import MODELS

CONFIG = 'unet/unet_r18_minicity.py'

SCORES = ('metrics.json', 'confusion_matrix.npy', 'per_image.csv')


@pytest.fixture(scope='session')
def seven(tmp_path_factory):
    """Seven validation images: divided by none of 2, 3, 4."""
    root = tmp_path_factory.mktemp('seven') / 'minicity'
    return make_minicity(root, train=1, val=7, test=2, size=(128, 64), seed=3, progress=False)


@pytest.fixture(scope='session')
def eleven(tmp_path_factory):
    """Eleven validation images of four sizes: divided by none of 2, 3, 4, 7."""
    root = tmp_path_factory.mktemp('eleven') / 'minicity'
    make_minicity(root, train=1, val=11, test=1, size=(128, 64), seed=5, progress=False)
    stems = sorted(p.name.removesuffix('_leftImg8bit.png')
                   for p in root.rglob('val/*/*_leftImg8bit.png'))
    for i, stem in enumerate(stems):
        for file in root.rglob(f'val/*/{stem}_*.png'):
            size = [(128, 64), (96, 64), (57, 83), (160, 96)][i % 4]
            cv2.imwrite(str(file), cv2.resize(cv2.imread(str(file), -1), size,
                                              interpolation=cv2.INTER_NEAREST))
    return root


def run(nproc, out, checkpoint, root, options, repo_root, *flags):
    """The bytes of every file that a test on ``nproc`` processes writes, and what it says."""
    done = subprocess.run(
        ['bash', 'tools/dist_test.sh', f'configs/{CONFIG}', str(checkpoint), str(nproc),
         '--data-root', str(root), '--out', str(out), '--work-dir', f'{out}.work', *flags,
         *options], cwd=repo_root, env={**os.environ, 'PYTHON': sys.executable},
        capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return written(out), done.stdout


def written(out):
    return {name: (out / name).read_bytes() for name in SCORES} | {
        p.name: p.read_bytes() for p in (out / 'predictions').glob('*.png')}


def test_two_and_three_processes_write_the_bytes_of_one(trained, eleven, tiny, options, repo_root,
                                                        tmp_path):
    score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / '1'), options=tiny,
          data_root=os.fspath(eleven), work_dir=os.fspath(tmp_path / 'w'))
    one = written(tmp_path / '1')
    assert len(one) == len(SCORES) + 11
    for nproc in (2, 3):
        files, said = run(nproc, tmp_path / str(nproc), trained.checkpoint, eleven, options,
                          repo_root)
        assert files == one
        assert re.search(rf'11 images in .* images/s on {nproc} processes', said)


@pytest.fixture(scope='session')
def random_weights(tmp_path_factory):
    """A checkpoint of the config's model as it is before training."""
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model)
    model.init_weights()
    # Statistics of its own in each batch norm, as a trained one has.
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    file = tmp_path_factory.mktemp('random') / 'random.pth'
    torch.save({'state_dict': model.state_dict()}, file)
    return file


@pytest.mark.slow
@pytest.mark.parametrize('flags', [(), ('--aug-test',)], ids=['plain', 'aug'])
def test_any_number_of_processes_writes_the_same_bytes(flags, random_weights, eleven, repo_root,
                                                       tmp_path):
    results = {nproc: run(nproc, tmp_path / str(nproc), random_weights, eleven, (), repo_root,
                          *flags)[0] for nproc in (1, 2, 3, 4, 7)}
    assert len(results[1]) == len(SCORES) + 11
    for nproc, files in results.items():
        assert files == results[1], nproc


@pytest.mark.slow
def test_processes_without_an_image_take_part(trained, options, repo_root, tmp_path):
    root = make_minicity(tmp_path / 'minicity', train=1, val=5, test=1, size=(128, 64), seed=3,
                         progress=False)
    one, _ = run(1, tmp_path / '1', trained.checkpoint, root, options, repo_root)
    seven, said = run(7, tmp_path / '7', trained.checkpoint, root, options, repo_root)
    assert seven == one
    assert '5 images in' in said


@pytest.mark.parametrize('aug_test', [False, True])
def test_what_shares_a_batch_does_not_matter(aug_test, trained, eleven, tiny, tmp_path):
    """Batches of 1 and of 4 images of different sizes give the same bytes."""
    for batch_size in (1, 4):
        score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / str(batch_size)),
              options={**tiny, 'test_dataloader.batch_size': batch_size}, aug_test=aug_test,
              data_root=os.fspath(eleven), work_dir=os.fspath(tmp_path / 'w'))
    assert written(tmp_path / '1') == written(tmp_path / '4')


def test_the_scores_are_those_of_cityscapesscripts(trained, seven, tiny, tmp_path, monkeypatch):
    """--format-only files, scored by the official program, give our class IoU to 1e-12."""
    # cityscapesScripts 2.3 calls a function that NumPy 2.4 no longer has.
    monkeypatch.setattr(np, 'in1d', np.isin, raising=False)
    monkeypatch.setenv('CITYSCAPES_DATASET', os.fspath(seven))
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official

    arguments = dict(options=tiny, data_root=os.fspath(seven), work_dir=os.fspath(tmp_path / 'w'))
    score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / 'server'), format_only=True,
          **arguments)
    score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / 'ours'), **arguments)
    ours = json.loads((tmp_path / 'ours' / 'metrics.json').read_text())

    predictions = {p.name.split('_leftImg8bit')[0]: p
                   for p in (tmp_path / 'server').rglob('*.png')}
    labels = sorted(seven.rglob('val/*/*_gtFine_labelIds.png'))
    assert len(labels) == len(predictions) == 7
    official.args.evalInstLevelScore = False
    official.args.quiet = True
    official.args.JSONOutput = False
    found = official.evaluateImgLists(
        [str(predictions[p.name.split('_gtFine')[0]]) for p in labels],
        [str(p) for p in labels], official.args)['classScores']
    checked = 0
    for name, theirs in found.items():
        mine = ours.get(f'IoU.{name}')
        if mine is not None and not np.isnan(theirs):
            assert abs(mine / 100 - theirs) < 1e-12
            checked += 1
    assert checked == 19


def test_aug_test_with_one_plain_scale_is_the_plain_test(trained, seven, tiny, tmp_path):
    arguments = dict(data_root=os.fspath(seven), work_dir=os.fspath(tmp_path / 'w'))
    one = {**tiny, 'aug_test_cfg': dict(scales=[1.0], flip=False)}
    score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / 'a'), options=tiny, **arguments)
    score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / 'b'), options=one,
          aug_test=True, **arguments)
    for name in SCORES:
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def test_the_files_of_out_are_as_documented(trained, seven, tiny, tmp_path):
    out = tmp_path / 'out'
    metrics = score(CONFIG, str(trained.checkpoint), out=os.fspath(out), options=tiny,
                    data_root=os.fspath(seven), work_dir=os.fspath(tmp_path / 'w'), aug_test=True)
    matrix = np.load(out / 'confusion_matrix.npy')
    assert matrix.dtype == np.int64
    assert matrix.shape == (19, 19)
    written = json.loads((out / 'metrics.json').read_text())
    assert written['mIoU'] == metrics['mIoU'], 'unrounded'
    hit = np.diag(matrix)
    with np.errstate(invalid='ignore'):
        iou = hit / (matrix.sum(0) + matrix.sum(1) - hit)
    assert written['mIoU'] == pytest.approx(100 * np.nanmean(iou), abs=1e-9)
    # Rows are ground truth: their sums are the labels' own counts.
    counts = np.zeros(256, np.int64)
    for file in seven.rglob('val/*/*_gtFine_labelTrainIds.png'):
        counts += np.bincount(cv2.imread(str(file), -1).ravel(), minlength=256)
    assert matrix.sum(1).tolist() == counts[:19].tolist()


def test_format_only_writes_label_ids_for_images_without_labels(trained, seven, tiny, tmp_path):
    options = {**tiny, 'test_dataloader.dataset.data_prefix': dict(
        img_path='leftImg8bit/test', seg_map_path=None)}
    metrics = score(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / 'o'), options=options,
                    data_root=os.fspath(seven), work_dir=os.fspath(tmp_path / 'w'),
                    format_only=True)
    files = list((tmp_path / 'o').rglob('*.png'))
    assert metrics == {}
    assert len(files) == 2
    official_ids = {7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33}
    assert set(np.unique(cv2.imread(str(files[0]), -1))) <= official_ids


def test_labels_out_of_range_are_named_with_file_value_and_range(trained, seven, tiny, tmp_path):
    root = tmp_path / 'bad'
    shutil.copytree(seven, root)
    file = sorted(root.rglob('val/*/*_gtFine_labelTrainIds.png'))[2]
    label = cv2.imread(str(file), -1)
    label[5, 5] = 77
    cv2.imwrite(str(file), label)
    with pytest.raises(ValueError, match=f'{file.name}.*77.*18'):
        score(CONFIG, str(trained.checkpoint), options=tiny, data_root=os.fspath(root),
              work_dir=os.fspath(tmp_path / 'w'))


def test_a_checkpoint_of_another_model_says_how_much_matched(tiny, seven, tmp_path):
    other = tmp_path / 'other.pth'
    torch.save({'state_dict': {'backbone.conv1.weight': torch.zeros(8, 3, 7, 7),
                               'somewhere.else': torch.zeros(3)}}, other)
    with pytest.raises(CheckpointError, match='other.pth.*1 of'):
        score(CONFIG, str(other), options=tiny, data_root=os.fspath(seven),
              work_dir=os.fspath(tmp_path / 'w'))


@pytest.mark.parametrize(('arguments', 'error', 'said'), [
    (dict(checkpoint='missing.pth'), CheckpointError, 'missing.pth'),
    (dict(format_only=True), ConfigError, '--out'),
])
def test_bad_calls_are_one_sentence(arguments, error, said, trained, tiny, seven, tmp_path):
    arguments = {'checkpoint': str(trained.checkpoint), **arguments}
    with pytest.raises(error, match=said):
        score(CONFIG, options=tiny, data_root=os.fspath(seven), work_dir=os.fspath(tmp_path),
              **arguments)


def test_an_out_that_is_a_file_is_refused_and_kept(trained, options, seven, tmp_path, capsys):
    taken = tmp_path / 'taken'
    taken.write_text('mine')
    code = main(['test', CONFIG, str(trained.checkpoint), '--data-root', str(seven), '--out',
                 str(taken), '--work-dir', str(tmp_path / 'w'), *options])
    assert code == 1
    assert 'is a file' in capsys.readouterr().err
    assert Path(taken).read_text() == 'mine'


def test_a_test_needs_no_part_of_the_training(trained, seven, tiny, tmp_path):
    alone = {k: v for k, v in tiny.items() if not k.startswith(('train_', 'val_'))}
    alone |= {'train_dataloader': None, 'val_evaluator': None, 'test_cfg': None}
    metrics = score(CONFIG, str(trained.checkpoint), options=alone, data_root=str(seven),
                    work_dir=str(tmp_path))
    assert 0 <= metrics['mIoU'] <= 100


def test_out_needs_a_metric_that_writes(trained, tiny, seven, tmp_path):
    options = {**tiny, 'test_evaluator': dict(type='DumpResults', out_file_path='x.pkl')}
    with pytest.raises(ConfigError, match='No metric .* writes files.*DumpResults'):
        score(CONFIG, str(trained.checkpoint), options=options, data_root=os.fspath(seven),
              work_dir=os.fspath(tmp_path), out=os.fspath(tmp_path / 'out'))
