"""ADE20KDataset: label 0 is no class and the others move down, and what is published stays."""

import cv2
import numpy as np
import pytest

from segplug.datasets.ade import ADE20KDataset

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


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


def test_names_and_colours_as_published():
    classes, palette = (ADE20KDataset.METAINFO[key] for key in ('classes', 'palette'))
    assert len(classes) == len(palette) == 150
    assert [classes[i] for i in (0, 7, 12, 20, 149)] == ['wall', 'bed ', 'person', 'car', 'flag']
    assert [palette[i] for i in (0, 7, 12, 20, 149)] == [
        [120, 120, 120], [204, 5, 255], [150, 5, 61], [0, 102, 200], [92, 0, 255]]
