"""Classes of each sample: what the pipeline would read, kept until something changes."""

import os

import cv2
import numpy as np
import pytest

from segplug.datasets import ADE20KDataset, BaseSegDataset, class_ids
from segplug.datasets.wrappers import ConcatDataset, RepeatDataset
from segplug.errors import DataError

LABELS = ([[0, 1]], [[1, 1]], [[2, 255]])


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Three labels; the cache is a folder of the test's own."""
    monkeypatch.setenv('SEGPLUG_CACHE', str(tmp_path / 'cache'))
    for i, label in enumerate(LABELS):
        for folder, end, pixels in (('img', 'jpg', np.zeros((1, 2, 3))), ('ann', 'png', label)):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f'{i}.{end}'), np.array(pixels, np.uint8))
    return tmp_path


def make(root, cls=BaseSegDataset, **kwargs):
    return cls(data_root=str(root), data_prefix=dict(img_path='img', seg_map_path='ann'),
               **{**dict(metainfo=dict(classes=('a', 'b', 'c'))), **kwargs})


@pytest.fixture
def readings(monkeypatch):
    """How often labels have been read from files."""
    counted, real = [], class_ids._read_all
    monkeypatch.setattr(class_ids, '_read_all',
                        lambda dataset: counted.append(len(dataset)) or real(dataset))
    return counted


def test_classes_of_each_label_without_the_ignored(root):
    dataset = make(root, pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')])
    assert [dataset.get_cat_ids(i) for i in range(3)] == [[0, 1], [1], [2]]
    assert make(root, ignore_index=1).get_cat_ids(0) == [0]  # also without a pipeline


def test_values_are_mapped_as_in_training(root):
    moved = make(root, ADE20KDataset, metainfo=None)
    assert [moved.get_cat_ids(i) for i in range(3)] == [[0], [0], [1]]
    wall = make(root, ADE20KDataset, metainfo=dict(classes=('building',)))
    assert [wall.get_cat_ids(i) for i in range(3)] == [[], [], [0]]


def test_labels_are_read_once(root, readings):
    assert class_ids.of_all(make(root)) == [[0, 1], [1], [2]]
    assert class_ids.of_all(make(root)) == [[0, 1], [1], [2]]
    assert readings == [3]


def test_a_changed_label_and_other_classes_are_read_again(root, readings):
    class_ids.of_all(make(root))
    cv2.imwrite(str(root / 'ann/0.png'), np.array([[2, 2]], np.uint8))
    os.utime(root / 'ann/0.png', ns=(0, 0))
    assert class_ids.of_all(make(root)) == [[2], [1], [2]]
    assert class_ids.of_all(make(root, ignore_index=2)) == [[], [1], [255]]
    assert class_ids.of_all(make(root, reduce_zero_label=True)) == [[1], [0], [1]]
    assert readings == [3, 3, 3, 3]


def test_wrapped_data_sets(root, readings):
    both = ConcatDataset([make(root), make(root, indices=1)])
    assert class_ids.of_all(RepeatDataset(both, 2)) == [[0, 1], [1], [2], [0, 1]] * 2
    assert len(class_ids.leaves(RepeatDataset(both, 2))) == 2


def test_what_cannot_be_kept_is_read_each_time(root, readings, monkeypatch):
    (root / 'a file').touch()
    monkeypatch.setenv('SEGPLUG_CACHE', str(root / 'a file'))
    assert class_ids.cache_file(make(root)) is None
    assert class_ids.of_all(make(root)) == [[0, 1], [1], [2]]
    assert readings == [3]


def test_a_sample_without_a_label_is_named(root):
    dataset = BaseSegDataset(data_root=str(root), data_prefix=dict(img_path='img'),
                             metainfo=dict(classes=('a',)), test_mode=True)
    with pytest.raises(DataError, match='0.jpg has no label'):
        class_ids.of_all(dataset)


def test_the_progress_of_a_long_reading_is_said(root, monkeypatch):
    said = []
    monkeypatch.setattr(class_ids, '_SILENCE', -1.0)
    monkeypatch.setattr(class_ids, 'print_log', lambda line, *_: said.append(line))
    class_ids.of_all(make(root))
    assert said == ['The classes in 3 labels are read, once for this data set.',
                    'classes in labels: 1/3 (33 %)', 'classes in labels: 2/3 (66 %)',
                    'classes in labels: 3/3 (100 %)']
