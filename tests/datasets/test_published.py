"""Published data sets: every fact is mmsegmentation's, labels are read as they are published."""

import hashlib
import json
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

import segplug.datasets
from segplug.datasets import ADE20KDataset, CamVidDataset
from segplug.registry import DATASETS

# Read from the sources of mmsegmentation 1.2.2 (HSI-Drive: of its main branch): a hash of the names
# and of the colours in their order, and the constructors' defaults.
FACTS = json.loads((Path(__file__).parent / 'fixtures' / 'published.json').read_text())
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def hashed(values) -> str:
    text = json.dumps(values, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize('name', FACTS)
def test_facts_are_those_of_mmsegmentation(name):
    facts, cls = FACTS[name], DATASETS.get(name)
    made = cls(lazy_init=True)
    assert (made.img_suffix, made.seg_map_suffix, made.reduce_zero_label) == (
        facts['img_suffix'], facts['seg_map_suffix'], facts['reduce_zero_label'])
    assert len(cls.METAINFO['classes']) == facts['num_classes']
    assert hashed(list(cls.METAINFO['classes'])) == facts['classes']
    palette = cls.METAINFO.get('palette')  # NYU has none
    assert facts['palette'] == (palette and hashed(palette))
    assert len(made.metainfo['palette']) == facts['num_classes']


@pytest.mark.parametrize('name', FACTS)
def test_a_class_is_found_by_its_name_and_pickled(name):
    cls = DATASETS.get(name)
    assert getattr(segplug.datasets, name) is cls
    assert pickle.loads(pickle.dumps(cls)) is cls
    assert cls.__name__ == name
    assert cls.__doc__


def test_suffixes_can_be_said_at_any_of_them():
    made = CamVidDataset(img_suffix='.tif', seg_map_suffix='_L.png', reduce_zero_label=True,
                         lazy_init=True)
    assert (made.img_suffix, made.seg_map_suffix, made.reduce_zero_label) == (
        '.tif', '_L.png', True)


def test_names_and_colours_of_ade20k():
    classes, palette = (ADE20KDataset.METAINFO[key] for key in ('classes', 'palette'))
    assert [classes[i] for i in (0, 7, 12, 20, 149)] == ['wall', 'bed ', 'person', 'car', 'flag']
    assert [palette[i] for i in (0, 7, 12, 20, 149)] == [
        [120, 120, 120], [204, 5, 255], [150, 5, 61], [0, 102, 200], [92, 0, 255]]


# --- label 0 is no class ---------------------------------------------------------------------

@pytest.fixture
def root(tmp_path):
    """One image with labels 0 (none), 1 (wall), 150 (flag)."""
    for folder, end, pixels in (('images', 'jpg', np.zeros((1, 3, 3), np.uint8)),
                                ('annotations', 'png', np.array([[0, 1, 150]], np.uint8))):
        (tmp_path / folder / 'validation').mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / 'validation' / f'ADE_val_1.{end}'), pixels)
    return tmp_path


def make(root, **kwargs):
    return ADE20KDataset(data_root=str(root), pipeline=LOAD, data_prefix=dict(
        img_path='images/validation', seg_map_path='annotations/validation'), **kwargs)


def test_label_values_move_down(root):
    assert make(root)[0]['gt_seg_map'].tolist() == [[255, 0, 149]]
    assert make(root).metainfo['reduce_zero_label'] is True


def test_labels_that_have_moved_already_are_read_as_they_are(root):
    assert make(root, reduce_zero_label=False)[0]['gt_seg_map'].tolist() == [[0, 1, 150]]


def test_a_choice_of_classes_follows_the_shift(root):
    dataset = make(root, metainfo=dict(classes=('flag', 'wall')))
    assert dataset[0]['gt_seg_map'].tolist() == [[255, 1, 0]]
    assert dataset.metainfo['palette'] == [[92, 0, 255], [120, 120, 120]]


# --- real data -------------------------------------------------------------------------------

def test_the_real_val_split_of_camvid():
    data = os.environ.get('SEGPLUG_TEST_DATA')
    if not data or not (Path(data) / 'camvid').is_dir():
        pytest.skip('SEGPLUG_TEST_DATA names no folder with camvid')
    dataset = CamVidDataset(
        data_root=str(Path(data) / 'camvid'), pipeline=LOAD,
        data_prefix=dict(img_path='images/val', seg_map_path='annotations/val'))
    assert len(dataset) == 101
    sample = dataset[0]
    assert sample['img'].shape == (360, 480, 3)
    assert sample['gt_seg_map'].shape == (360, 480)
    # Sky is class 0 and lies above the road, class 3.
    rows = {c: np.nonzero(sample['gt_seg_map'] == c)[0].mean() for c in (0, 3)}
    assert rows[0] < rows[3]
