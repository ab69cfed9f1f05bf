# The tree on disk: official names, test labels that tell nothing, reuse, completion, refusal, and
# any number of processes.

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from segplug.datasets.minicity import make_minicity
from segplug.datasets.minicity.labels import colour_table, train_id_table
from segplug.datasets.minicity.writer import frame_paths
from segplug.errors import DataError

CITY = {'train': 3, 'val': 2, 'test': 1, 'size': (64, 32), 'seed': 5, 'progress': False}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return make_minicity(tmp_path_factory.mktemp('city') / 'mini', **CITY)


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in Path(root).rglob('*')
        if path.is_file()
    }


def test_tree_has_the_official_names(root):
    names = set(contents(root))
    assert len(names) == 6 * 5 + 1
    assert 'leftImg8bit/train/altenfels/altenfels_000000_000019_leftImg8bit.png' in names
    for kind in ('labelIds', 'labelTrainIds', 'instanceIds', 'color'):
        assert f'gtFine/val/lerchenau/lerchenau_000000_000019_gtFine_{kind}.png' in names


def test_the_files_of_a_frame_agree(root):
    files = {name: read(path) for name, path in frame_paths(root, 'val', 1).items()}
    label = files['labelIds']
    assert files['image'].shape == (32, 64, 3)
    assert files['instanceIds'].dtype == np.uint16
    np.testing.assert_array_equal(files['labelTrainIds'], train_id_table()[label])
    np.testing.assert_array_equal(files['color'], colour_table()[label][:, :, [2, 1, 0, 3]])
    instance = files['instanceIds']
    np.testing.assert_array_equal(np.where(instance < 1000, instance, instance // 1000), label)


def test_test_labels_are_dummies(root):
    files = {name: read(path) for name, path in frame_paths(root, 'test', 0).items()}
    assert set(np.unique(files['labelIds'])) == {0, 1, 3}
    assert set(np.unique(files['instanceIds'])) == {0, 1, 3}
    assert (files['labelTrainIds'] == 255).all()
    assert files['image'].std() > 10


def test_a_whole_tree_is_reused(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob('*.png')}
    make_minicity(root, **CITY)
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*.png')} == before


def test_a_broken_off_tree_is_completed(root, tmp_path):
    stopped = make_minicity(tmp_path, **CITY)
    paths = frame_paths(stopped, 'train', 2)
    paths['image'].unlink()
    paths['color'].unlink()
    assert contents(make_minicity(stopped, **CITY)) == contents(root)


def test_other_parameters_are_refused(root):
    before = contents(root)
    with pytest.raises(DataError, match='other parameters.*"?seed"?.*5.*6.*choose another folder'):
        make_minicity(root, **{**CITY, 'seed': 6})
    assert contents(root) == before


def test_a_broken_file_of_parameters_is_refused(tmp_path):
    (tmp_path / 'minicity.json').write_text('{')
    with pytest.raises(DataError, match='not JSON'):
        make_minicity(tmp_path, **CITY)


def test_somebody_elses_data_is_refused(tmp_path):
    (tmp_path / 'gtFine').mkdir()
    with pytest.raises(DataError, match='not a mini city.*gtFine'):
        make_minicity(tmp_path, **CITY)
    assert [path.name for path in tmp_path.iterdir()] == ['gtFine']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'size': (32, 64)}, 'size.*32x64.*64x32 to'),
        ({'train': -1}, 'train frames.*-1'),
        ({'seed': 2**31}, 'seed.*2147483648'),
        ({'processes': 0}, 'process'),
    ],
)
def test_arguments_out_of_range(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        make_minicity(tmp_path / 'city', **{**CITY, **change})
    assert not (tmp_path / 'city').exists()


def test_processes_do_not_change_the_bytes(root, tmp_path):
    assert contents(make_minicity(tmp_path, **CITY, processes=2)) == contents(root)


def test_frames_do_not_depend_on_how_many_there_are(root, tmp_path):
    less = make_minicity(tmp_path, **{**CITY, 'train': 1})
    for name, path in frame_paths(less, 'train', 0).items():
        assert path.read_bytes() == frame_paths(root, 'train', 0)[name].read_bytes()


def test_parameters_are_written(root):
    found = json.loads((root / 'minicity.json').read_text(encoding='utf-8'))
    assert found == {'version': 1, 'train': 3, 'val': 2, 'test': 1, 'size': [64, 32], 'seed': 5}


def test_progress_is_printed(tmp_path, capsys):
    make_minicity(tmp_path, **{**CITY, 'progress': True})
    make_minicity(tmp_path, **{**CITY, 'progress': True})
    out = capsys.readouterr().out
    assert '6 of 6 frames' in out
    assert 'there already' in out


def test_the_official_evaluation_accepts_the_tree(root, monkeypatch):
    # the labels themselves as predictions: every class that occurs scores 1; cityscapesscripts 2.3
    # still calls np.in1d, which NumPy 2.4 no longer has
    monkeypatch.setattr(np, 'in1d', np.isin, raising=False)
    pixels = pytest.importorskip('cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling')
    info = pytest.importorskip('cityscapesscripts.helpers.csHelpers').getCsFileInfo
    truths = [str(frame_paths(root, 'val', index)['labelIds']) for index in range(2)]
    assert [info(path).city for path in truths] == ['hohensee', 'lerchenau']
    pixels.args.quiet, pixels.args.JSONOutput, pixels.args.evalInstLevelScore = True, False, True
    scores = pixels.evaluateImgLists(truths, truths, pixels.args)
    assert scores['averageScoreClasses'] == 1
    assert scores['averageScoreInstClasses'] == 1


def test_the_official_instances_are_ours(root):
    instances = pytest.importorskip('cityscapesscripts.evaluation.instances2dict').instances2dict
    path = str(frame_paths(root, 'val', 0)['instanceIds'])
    (found,) = instances([path]).values()
    listed = {item['instID'] for items in found.values() for item in items}
    assert listed == set(np.unique(read(path)).tolist())
