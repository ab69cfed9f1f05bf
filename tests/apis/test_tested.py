"""The files of a test as they come back: whole, damaged, of two tests."""

import json
import math

import numpy as np
import pytest
from made_folders import folder_of_a_test

from segplug.apis.tested import read_tested
from segplug.errors import DataError


@pytest.fixture
def out(tmp_path):
    return folder_of_a_test(tmp_path)


def test_what_a_test_leaves(out):
    tested = read_tested(out)
    assert tested.metrics == json.loads((out / 'metrics.json').read_text())
    assert tested.classes == ('road', 'sky', 'car')
    assert (tested.mode, tested.num_views, tested.remark) == ('single-scale', 1, '')
    score, accuracy, iou = tested.image_scores()
    assert score == pytest.approx(np.nanmean(iou, axis=1))
    # The set's accuracy is that of its images, weighted by their pixels, which are alike here.
    assert accuracy.mean() == pytest.approx(tested.metrics['aAcc'])


def test_scales_and_mirror_images_make_it_multi_scale(tmp_path):
    tested = read_tested(folder_of_a_test(tmp_path, scales=(0.5, 1.0)))
    assert (tested.mode, tested.num_views) == ('multi-scale', 4)
    assert read_tested(folder_of_a_test(tmp_path, 'flipped', flip=True)).mode == 'multi-scale'
    assert read_tested(folder_of_a_test(tmp_path, 'other', scales=())).mode == ''


def test_an_older_folder_says_what_it_lacks(tmp_path):
    tested = read_tested(folder_of_a_test(tmp_path, record=False))
    assert tested.record is None
    assert tested.mode == ''
    assert 'no run.json' in tested.remark
    assert '--config' in tested.remark


def test_a_record_of_other_scores_is_not_used(out, tmp_path):
    other = folder_of_a_test(tmp_path, 'other', wrong=0.5)
    (other / 'run.json').write_bytes((out / 'run.json').read_bytes())
    tested = read_tested(other)
    assert tested.record is None
    assert 'of another test' in tested.remark


def test_scores_of_boundaries_are_those_of_the_same_test(tmp_path):
    """A file that an earlier test left is not taken."""
    out = folder_of_a_test(tmp_path, boundary=True)
    file = out / 'boundary_metrics.json'
    found = json.loads(file.read_text())
    assert set(found) == {'mBIoU', 'BIoU.road', 'BIoU.sky', 'BIoU.car'}
    assert read_tested(out).metrics == {**json.loads((out / 'metrics.json').read_text()), **found}
    later = folder_of_a_test(tmp_path, 'later')
    (later / file.name).write_bytes(file.read_bytes())
    assert 'mBIoU' not in read_tested(later).metrics
    file.write_text('{"mBIoU": 1.0}')
    assert 'mBIoU' not in read_tested(out).metrics


def test_null_is_nan(out):
    values = json.loads((out / 'metrics.json').read_text()) | {'IoU.car': None}
    (out / 'metrics.json').write_text(json.dumps(values))
    assert math.isnan(read_tested(out).metrics['IoU.car'])


@pytest.mark.parametrize(('name', 'content', 'says'), [
    ('metrics.json', None, 'holds no metrics.json'),
    ('metrics.json', b'{', 'metrics.json cannot be read'),
    ('metrics.json', b'\xff', 'metrics.json cannot be read'),
    ('metrics.json', b'[1]', 'does not hold numbers'),
    ('metrics.json', b'{"mIoU": "61"}', 'does not hold numbers'),
    ('metrics.json', b'{"mIoU": 61, "aAcc": 1}', 'lacks IoU.road'),
    ('metrics.json', b'{"mIoU": 61, "aAcc": 1, "mIoU_low": 60}', 'lacks mIoU_high'),
    ('metrics.json', b'{"mIoU": Infinity}', 'does not hold numbers'),
    ('metrics.json', b'{"mIoU": 1' + b'0' * 400 + b'}', 'does not hold numbers'),
    ('metrics.json', b'{"mIoU": true}', 'does not hold numbers'),
    ('confusion_matrix.npy', None, 'holds no confusion_matrix.npy'),
    ('confusion_matrix.npy', b'', 'confusion_matrix.npy cannot be read'),
    ('confusion_matrix.npy', b'\x93NUMPY', 'confusion_matrix.npy cannot be read'),
    ('confusion_matrix.npy', b'PK\x03\x04', 'confusion_matrix.npy cannot be read'),
    ('per_image.csv', None, 'holds no per_image.csv'),
    ('per_image.csv', b'file,tp.road,fp.road,fn.road\nx,1,2,-3\n', 'is no count'),
    ('run.json', b'{', 'run.json cannot be read')])
def test_a_damaged_file_is_named(out, name, content, says):
    if content is None:
        (out / name).unlink()
    else:
        (out / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_tested(out)


@pytest.mark.parametrize(('matrix', 'says'), [
    (np.zeros((2, 2), np.int64), r'3 classes.*\(2, 2\)'),
    (np.full((3, 3), 0.5), 'no counts'), (np.full((3, 3), -1), 'no counts'),
    (np.zeros((3, 3), np.int64), 'not of one test'), (np.array(None), 'cannot be read')])
def test_a_matrix_that_does_not_fit(out, matrix, says):
    np.save(out / 'confusion_matrix.npy', matrix, allow_pickle=True)
    with pytest.raises(DataError, match=says):
        read_tested(out)


def test_other_classes_in_the_record(tmp_path):
    out = folder_of_a_test(tmp_path, **{'classes': ('road', 'sky', 'car')})
    record = json.loads((out / 'run.json').read_text()) | {'classes': ['road']}
    (out / 'run.json').write_text(json.dumps(record))
    with pytest.raises(DataError, match='1 and 3 classes'):
        read_tested(out)


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match='There is no folder'):
        read_tested(tmp_path / 'nothing')
