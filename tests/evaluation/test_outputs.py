"""Names and bytes of the files of --out."""

import json
import math

import cv2
import numpy as np
import pytest

from segplug.errors import DataError
from segplug.evaluation.outputs import (
    atomic_write,
    file_values,
    label_png,
    metrics_json,
    output_names,
    per_image_table,
    relative_names,
)


@pytest.mark.parametrize(('files', 'names'), [
    (['/d/a/x.png', '/d/b/y.jpg'], ['x', 'y']),
    (['/d/a/x.png', '/d/b/x.png'], ['a/x', 'b/x']),
    (['/d/a/x.png', '/d/a/x.jpg', '/d/b/y.png'], ['a/x.png', 'a/x.jpg', 'b/y.png']),
    (['/d/a/x.png', '/d/a/x.png'], ['x.png_0', 'x.png_1']),
    (['/d/a/x.y.png'], ['x.y']),
    ([], []),
])
def test_output_names_are_unique(files, names):
    assert output_names(files) == names


def test_relative_names():
    assert relative_names(['/d/v/a/x.png', '/d/v/b/x.png']) == ['a/x.png', 'b/x.png']
    assert relative_names(['/d/v/a/x.png']) == ['x.png']


@pytest.mark.parametrize(('top', 'dtype'), [(18, np.uint8), (300, np.uint16)])
def test_label_png_holds_the_values(top, dtype):
    labels = np.array([[0, 1], [2, top]])
    read = cv2.imdecode(np.frombuffer(label_png(labels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read.dtype == dtype
    assert read.tolist() == labels.tolist()


def test_file_values():
    pred = np.array([[0, 2], [1, 0]], np.uint8)
    assert file_values(pred, 3).tolist() == pred.tolist()
    assert file_values(pred, 3, [7, 11, 33]).tolist() == [[7, 33], [11, 7]]
    assert file_values(pred, 3, [7, 11, 3300], shift=1).tolist() == [[7, 3300], [11, 7]]
    # 255 + 1 does not wrap, and the file is one of 16 bits
    assert file_values(np.array([[255]], np.uint8), 256, shift=1).tolist() == [[256]]
    with pytest.raises(DataError, match=r'Got: 2\. Expected: 0 to 1'):
        file_values(pred, 2, [7, 11])


def test_metrics_json_is_json():
    text = metrics_json({'mIoU': 200 / 3, 'IoU.röd': math.nan})
    assert json.loads(text) == {'mIoU': 200 / 3, 'IoU.röd': None}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    atomic_write(tmp_path / 'sub' / 'f', b'old')

    def full(descriptor):
        raise OSError('no space left')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='no space'):
        atomic_write(tmp_path / 'sub' / 'f', b'new')
    assert [p.name for p in (tmp_path / 'sub').iterdir()] == ['f']
    assert (tmp_path / 'sub' / 'f').read_bytes() == b'old'


def test_per_image_table():
    # image 0: 3 right of 4; class 0 2 hits, 1 false; class 1 1 hit, 1 missed. Image 1 unlabelled
    hit, false, missed = np.array([[2, 1], [0, 0]]), np.array([[1, 0], [0, 0]]), \
        np.array([[0, 1], [0, 0]])
    table = per_image_table(['a', 'b'], hit, false, missed, ('x', 'y'))
    assert list(table.columns) == ['file', 'mIoU', 'aAcc', 'IoU.x', 'IoU.y', 'tp.x', 'tp.y',
                                   'fp.x', 'fp.y', 'fn.x', 'fn.y']
    row = table.iloc[0]
    np.testing.assert_allclose([row['IoU.x'], row['IoU.y'], row['mIoU'], row['aAcc']],
                               [200 / 3, 50, (200 / 3 + 50) / 2, 75])
    assert table.iloc[1][['mIoU', 'aAcc', 'IoU.x']].isna().all()
    assert table['fn.y'].tolist() == [1, 0]
