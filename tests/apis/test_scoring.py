"""Scoring folders of files: the numbers of `segplug test` and of the official program, and what
wrong folders are told."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segplug.apis import run_record
from segplug.apis.per_image import read_counts
from segplug.apis.scoring import score
from segplug.apis.testing import test as run_test
from segplug.cli.main import main
from segplug.datasets.cityscapes import CLASSES
from segplug.errors import ConfigError, DataError

CONFIG = 'unet/unet_r18_minicity.py'
SCORES = ('metrics.json', 'confusion_matrix.npy', 'per_image.csv')
LABEL_ID = np.array([label_id for label_id, _, _ in CLASSES], np.uint8)


def contents(folder):
    return {name: (Path(folder) / name).read_bytes() for name in SCORES}


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path)
    return path


@pytest.fixture(scope='session')
def guesses(minicity, tmp_path_factory):
    """Label ids for the three validation images, in the tree of the images: the label, wrong in
    its left third and random where it is ignored."""
    root, rng = tmp_path_factory.mktemp('guesses'), np.random.default_rng(0)
    for file in sorted((minicity / 'gtFine/val').rglob('*_labelTrainIds.png')):
        classes = np.array(Image.open(file))
        classes[:, :40] = np.roll(classes[:, :40], 5, axis=0)
        classes = np.where(classes == 255, rng.integers(0, 19, classes.shape), classes)
        name = file.name.replace('_gtFine_labelTrainIds', '_leftImg8bit')
        save(root / file.parent.name / name, LABEL_ID[classes])
    return root


@pytest.fixture
def folders(tmp_path):
    """Two small predictions and labels of three classes; returns (predictions, labels)."""
    label = np.array([[0, 0, 1], [2, 2, 255]], np.uint8)
    for name in ('a', 'b'):
        save(tmp_path / 'gt' / f'{name}.png', label)
        save(tmp_path / 'pred' / f'{name}.png', label % 255)
    return tmp_path / 'pred', tmp_path / 'gt'


def test_the_files_of_a_test_give_its_bytes(trained, minicity, tiny, tmp_path):
    arguments = dict(options=tiny, data_root=os.fspath(minicity), work_dir=os.fspath(tmp_path))
    for out, format_only in (('out', False), ('server', True)):
        run_test(CONFIG, str(trained.checkpoint), out=os.fspath(tmp_path / out),
                 format_only=format_only, **arguments)
    labels = str(minicity / 'gtFine/val')
    for made, said in (('out', dict(dataset='cityscapes')), ('out', dict(config=CONFIG)),
                       ('server', dict(dataset='Cityscapes'))):
        # An untrained network may predict no value that decides; so it is said.
        score(str(tmp_path / made / 'predictions'), labels, out=str(tmp_path / 'again'), **said,
              pred_values='label-ids' if made == 'server' else 'class-ids')
        assert contents(tmp_path / 'again') == contents(tmp_path / 'out')
        assert not (tmp_path / 'again' / 'predictions').exists()


def test_the_scores_are_those_of_cityscapesscripts(guesses, minicity, tmp_path, monkeypatch):
    # cityscapesScripts 2.3 calls a function that NumPy 2.4 no longer has.
    monkeypatch.setattr(np, 'in1d', np.isin, raising=False)
    monkeypatch.setenv('CITYSCAPES_DATASET', os.fspath(minicity))
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official

    labels = minicity / 'gtFine/val'
    score(str(guesses), str(labels), dataset='cityscapes', out=str(tmp_path))
    ours = json.loads((tmp_path / 'metrics.json').read_text())
    truths = sorted(str(p) for p in labels.rglob('*_labelIds.png'))
    predictions = sorted(str(p) for p in guesses.rglob('*.png'))
    for name, value in (('evalInstLevelScore', False), ('quiet', True), ('JSONOutput', False)):
        setattr(official.args, name, value)
    found = official.evaluateImgLists(predictions, truths, official.args)
    scored = {name: v for name, v in found['classScores'].items() if not np.isnan(v)}
    assert len(scored) > 10
    assert all(abs(ours[f'IoU.{name}'] / 100 - v) < 1e-12 for name, v in scored.items())
    assert abs(ours['mIoU'] / 100 - found['averageScoreClasses']) < 1e-12
    assert 20 < ours['mIoU'] < 90


@pytest.mark.parametrize('flat', [False, True])
def test_train_ids_and_label_ids_give_the_same_numbers(guesses, minicity, tmp_path, flat):
    """Predictions and labels of either kind, in the tree or in one folder."""
    train_id = np.full(256, 99, np.uint8)
    train_id[LABEL_ID] = np.arange(19)
    for file in guesses.rglob('*.png'):
        target = file.name if flat else file.relative_to(guesses)
        save(tmp_path / 'ids' / target, train_id[np.array(Image.open(file))])
    only = tmp_path / 'labelIds'
    shutil.copytree(minicity / 'gtFine/val', only,
                    ignore=shutil.ignore_patterns('*TrainIds.png', '*.json'))
    expected = score(str(guesses), str(minicity / 'gtFine/val'), dataset='cityscapes')
    assert score(str(tmp_path / 'ids'), str(only), dataset='cityscapes', num_threads=1) == expected
    assert score(str(guesses), str(only), dataset='cityscapes', num_threads=3) == expected


def test_official_labels_against_themselves_are_right(minicity, tmp_path):
    shutil.copytree(minicity / 'gtFine/val', tmp_path / 'p',
                    ignore=shutil.ignore_patterns('*color*', '*instance*', '*TrainIds*', '*.json'))
    found = score(str(tmp_path / 'p'), str(minicity / 'gtFine/val'), dataset='cityscapes',
                  boundary=True)
    assert set(found.values()) == {100.}


def test_camvid_against_itself_and_shifted(test_data, tmp_path):
    labels = sorted((test_data / 'camvid/annotations/val').glob('*.png'))[:4]
    for file in labels:
        shutil.copy(file, save(tmp_path / 'gt' / file.name, np.zeros((1, 1), np.uint8)))
        values = np.roll(np.array(Image.open(file)), 5, axis=1)
        save(tmp_path / 'shifted' / file.name, np.where(values == 255, 0, values))
    same = score(str(tmp_path / 'gt'), str(tmp_path / 'gt'), dataset='camvid', boundary=True)
    moved = score(str(tmp_path / 'shifted'), str(tmp_path / 'gt'), dataset='camvid', boundary=True)
    assert set(same.values()) == {100.}
    assert 0 < moved['mBIoU'] < moved['mIoU'] < 90  # a shift costs the boundaries more


def test_by_hand_with_the_command(folders, tmp_path, capsys):
    pred, gt = folders
    save(pred / 'b.png', np.array([[0, 1, 1], [2, 2, 0]], np.uint8))
    code = main(['score', str(pred), str(gt), '--classes', 'x,y,z', '--out',
                 str(tmp_path / 'out'), '--boundary'])
    # x: 3 of 4 pixels, none too many; y: 2 of 3; z: 4 of 4. Mean (3/4 + 2/3 + 1) / 3 = 80.56 %.
    assert code == 0
    assert 'mIoU 80.56' in capsys.readouterr().out.splitlines()[-2]
    assert np.load(tmp_path / 'out/confusion_matrix.npy').tolist() == [
        [3, 1, 0], [0, 2, 0], [0, 0, 4]]
    # Everything in so small an image is boundary.
    assert json.loads((tmp_path / 'out/boundary_metrics.json').read_text())['BIoU.x'] == 75


def test_boundary_scores_of_an_earlier_run_are_named(folders, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('segplug.apis.scoring.print_log',
                        lambda text, *args, **kw: said.append(text))
    for boundary in (True, False):
        assert 'earlier run' not in ' '.join(said)
        score(*map(str, folders), classes='3', out=str(tmp_path / 'out'), boundary=boundary)
    assert 'boundary_metrics.json of an earlier run' in ' '.join(said)


def test_palette_files_hold_their_indices(folders):
    pred, gt = folders
    for file in pred.glob('*.png'):
        picture = Image.fromarray(np.array(Image.open(file))).convert('P')
        picture.putdata(np.array(Image.open(file)).ravel())
        picture.putpalette([200, 10, 10, 0, 90, 0, 7, 7, 70])
        picture.save(file)
        assert cv2.imread(str(file), cv2.IMREAD_UNCHANGED).ndim == 3
    assert score(str(pred), str(gt), classes='3')['mIoU'] == 100


@pytest.mark.parametrize('count', [1, 254, 255, 256, 300])
def test_many_classes_and_16_bits(tmp_path, count):
    values = np.arange(count, dtype=np.uint16).reshape(1, -1)
    label = np.concatenate([values, values], axis=1)
    ignored = 255 if count <= 255 else 65535
    label[0, 0] = ignored
    pred = np.concatenate([values, values * 0], axis=1)
    save(tmp_path / 'gt/ä b.png', label)
    save(tmp_path / 'pred/ä b.png', pred)
    found = score(str(tmp_path / 'pred'), str(tmp_path / 'gt'), classes=str(count), out=str(
        tmp_path / 'out'))
    matrix = np.load(tmp_path / 'out/confusion_matrix.npy')
    # Each class but 0 is right once and taken for 0 once; 0 is right once, ignored once.
    assert matrix.trace() == count
    assert matrix[:, 0].tolist() == [1] * count
    assert found['aAcc'] == pytest.approx(100 * count / (2 * count - 1))


def test_reduce_zero_label_takes_both_ways_of_writing_predictions(tmp_path):
    save(tmp_path / 'gt/a.png', np.array([[0, 1, 2, 3]], np.uint8))
    save(tmp_path / 'ids/a.png', np.array([[2, 0, 1, 2]], np.uint8))
    save(tmp_path / 'as_labels/a.png', np.array([[3, 1, 2, 3]], np.uint8))
    for folder in ('ids', 'as_labels'):
        found = score(str(tmp_path / folder), str(tmp_path / 'gt'), classes='3',
                      reduce_zero_label=True)
        assert found['mIoU'] == 100


def test_classes_of_a_config_may_be_a_subset(guesses, minicity, write):
    config = write('two.py', """
        _base_ = ['segplug::unet/unet_r18_minicity.py']
        test_dataloader = dict(dataset=dict(metainfo=dict(classes=('sky', 'road'))))
        test_evaluator = dict(type='IoUMetric', iou_metrics=['mDice'], prefix='two')
        """)
    found = score(str(minicity / 'gtFine/val'), str(minicity / 'gtFine/val'), config=str(config),
                  pred_suffix='_labelIds.png')
    assert list(found.items())[:3] == [('two/aAcc', 100.), ('two/mDice', 100.), ('two/mAcc', 100.)]
    assert found.by_class()['two/IoU'] == {'sky': 100., 'road': 100.}


def test_images_of_several_kinds_are_named_as_the_test_names_them(folders, tmp_path):
    config = tmp_path / 'mixed.py'
    config.write_text(f"""
test_dataloader = dict(dataset=dict(
    type='BaseSegDataset', data_root={os.fspath(tmp_path)!r}, img_suffix=['.tif', '.png', '.jpg'],
    metainfo=dict(classes=['x', 'y', 'z']), data_prefix=dict(img_path='img', seg_map_path='gt')))
test_evaluator = dict(type='IoUMetric')
""")
    save(tmp_path / 'img' / 'a.jpg', np.zeros((2, 3), np.uint8))  # b's image is not there
    score(*map(os.fspath, folders), config=os.fspath(config), out=os.fspath(tmp_path / 'out'))
    rows = (tmp_path / 'out/per_image.csv').read_text().splitlines()
    assert [row.split(',')[0] for row in rows[1:3]] == ['a.jpg', 'b.tif']


@pytest.mark.parametrize('num_threads', [1, 2, 5])
def test_the_bytes_do_not_depend_on_the_threads(guesses, minicity, tmp_path, num_threads):
    score(str(guesses), str(minicity / 'gtFine/val'), dataset='cityscapes',
          out=str(tmp_path / 'one'), num_threads=1)
    score(str(guesses), str(minicity / 'gtFine/val'), dataset='cityscapes',
          out=str(tmp_path / 'many'), num_threads=num_threads)
    assert contents(tmp_path / 'one') == contents(tmp_path / 'many')


def break_pred(file):
    file.write_bytes(file.read_bytes()[:40])


WRONG = {
    'missing': (lambda pred, gt: (pred / 'b.png').unlink(), r'1 of the 2 labels.*gt/b\.png'),
    'extra': (lambda pred, gt: shutil.copy(pred / 'a.png', pred / 'c.png'), r'pred/c\.png'),
    'size': (lambda pred, gt: save(pred / 'b.png', np.zeros((3, 3), np.uint8)),
             r'pred/b\.png differs in size.*Got: \(3, 3\).*\(2, 3\)'),
    'value': (lambda pred, gt: save(pred / 'b.png', np.full((2, 3), 9, np.uint8)),
              r'prediction .*pred/b\.png.*Got: 9 in 6 pixels.*0 to 2, 255'),
    'label value': (lambda pred, gt: save(gt / 'b.png', np.full((2, 3), 3, np.uint8)),
                    r'label .*gt/b\.png.*Got: 3 in 6'),
    'no class': (lambda pred, gt: save(pred / 'b.png', np.full((2, 3), 255, np.uint8)),
                 r'pred/b\.png has no class in 5 scored pixels.*255'),
    'colours': (lambda pred, gt: save(pred / 'b.png', np.zeros((2, 3, 3), np.uint8)),
                r'pred/b\.png is a colour picture'),
    'jpeg': (lambda pred, gt: (pred / 'b.png').rename(pred / 'b.jpg'), r'pred/b\.jpg.*losses'),
    'fractions': (lambda pred, gt: (save(pred / 'b.tif', np.zeros((2, 3), np.float32)),
                                    (pred / 'b.png').unlink()), r'b\.tif holds fractions'),
    'broken': (lambda pred, gt: break_pred(pred / 'b.png'), r'pred/b\.png cannot be decoded'),
    'empty file': (lambda pred, gt: (pred / 'b.png').write_bytes(b''), r'pred/b\.png is empty'),
    'twice': (lambda pred, gt: shutil.copy(pred / 'a.png', pred / 'a.tif'), 'one name'),
    'no images': (lambda pred, gt: [f.rename(f.with_suffix('.npy')) for f in pred.glob('*')],
                  r'no predictions in .*\.npy'),
    'no folder': (lambda pred, gt: shutil.rmtree(pred), 'predictions .* does not exist'),
}


@pytest.mark.parametrize('case', WRONG)
def test_what_is_wrong_is_named(case, folders):
    pred, gt = folders
    spoil, said = WRONG[case]
    spoil(pred, gt)
    with pytest.raises(DataError, match=said):
        score(str(pred), str(gt), classes='3')


def test_extra_predictions_may_be_allowed(folders):
    pred, gt = folders
    shutil.copy(pred / 'a.png', pred / 'c.png')
    assert score(str(pred), str(gt), classes='3', allow_extra=True)['mIoU'] == 100


def test_names_that_are_no_utf8(tmp_path, capsys):
    """As archives of other systems unpack to. a.png is wrong in B: half of the label's four."""
    name = os.fsdecode(b'a\xff.png')
    try:
        save(tmp_path / 'gt' / name, np.uint8([[0, 0], [1, 1]]))
    except OSError:
        pytest.skip('this file system has no such names')
    save(tmp_path / 'a' / name, np.uint8([[0, 0], [1, 1]]))
    save(tmp_path / 'b' / name, np.uint8([[0, 0], [0, 0]]))
    for run in 'ab':
        assert main(['score', str(tmp_path / run), str(tmp_path / 'gt'), '--classes', 'x,y',
                     '--out', str(tmp_path / f'out_{run}')]) == 0
    assert read_counts(tmp_path / 'out_a').files == (name,)
    assert list(run_record.read(tmp_path / 'out_a')['files']) == [name]
    found = tmp_path / 'found.json'
    assert main(['compare', str(tmp_path / 'out_a'), str(tmp_path / 'out_b'),
                 '--json', str(found)]) == 0
    assert r'a\udcff.png' in capsys.readouterr().out
    assert json.loads(found.read_text())['changed'][0]['file'] == name


def test_a_split_names_what_is_scored(folders, tmp_path):
    pred, gt = folders
    (pred / 'b.png').unlink()
    (tmp_path / 'val.txt').write_text('a\n')
    assert score(str(pred), str(gt), classes='3', names=str(tmp_path / 'val.txt'))['mIoU'] == 100
    (tmp_path / 'val.txt').write_text('a\nzzz\n')
    with pytest.raises(DataError, match='zzz'):
        score(str(pred), str(gt), classes='3', names=str(tmp_path / 'val.txt'))


@pytest.mark.parametrize(('arguments', 'said'), [
    (dict(), 'one of --dataset'),
    (dict(classes='3', dataset='camvid'), 'one of --dataset'),
    (dict(classes='3', out='taken'), 'is a file'),
    (dict(classes='3', out='taken/below'), 'cannot be made.*Not a directory'),
    (dict(classes='99999999999'), 'more than files can hold'),
    (dict(classes='3', num_threads=0), '--threads 0'),
    (dict(classes='3', pred_values='label-ids'), 'no label ids'),
    (dict(classes='3', pred_values='colours'), "cannot hold 'colours'"),
])
def test_bad_calls_are_one_sentence(folders, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'taken').write_text('mine')
    with pytest.raises(ConfigError, match=said):
        score(*map(str, folders), **arguments)
