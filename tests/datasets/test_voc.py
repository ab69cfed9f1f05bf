"""PascalVOCDataset: palette files are read as ids, splits by name, colours as published."""

import cv2
import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from PIL import Image

from segplug.datasets.voc import PascalVOCDataset
from segplug.errors import DataError

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def put_label(root, folder, name, values):
    """A label as the development kit has it: a PNG with a colour table."""
    (root / folder).mkdir(exist_ok=True)
    image = Image.fromarray(np.array([values], np.uint8))
    image.putpalette([x for rgb in PascalVOCDataset.METAINFO['palette'] for x in rgb])
    image.save(root / folder / f'{name}.png')


@pytest.fixture
def root(tmp_path):
    """Three images: train.txt names the first, aug.txt the second, the third has no label."""
    splits = tmp_path / 'ImageSets' / 'Segmentation'
    splits.mkdir(parents=True)
    (tmp_path / 'JPEGImages').mkdir()
    for name in ('2007_1', '2008_2', '2009_3'):
        cv2.imwrite(str(tmp_path / 'JPEGImages' / f'{name}.jpg'), np.zeros((1, 3, 3), np.uint8))
    put_label(tmp_path, 'SegmentationClass', '2007_1', (0, 20, 255))
    put_label(tmp_path, 'SegmentationClassAug', '2008_2', (15, 1, 0))
    (splits / 'train.txt').write_text('2007_1\n')
    (splits / 'aug.txt').write_text('2008_2\n\n')
    return tmp_path


def make(root, split, labels, **kwargs):
    return PascalVOCDataset(
        f'ImageSets/Segmentation/{split}.txt' if split else '', data_root=str(root), pipeline=LOAD,
        data_prefix=dict(img_path='JPEGImages', seg_map_path=labels), **kwargs)


def test_a_palette_file_is_read_as_ids(root):
    dataset = make(root, 'train', 'SegmentationClass')
    assert len(dataset) == 1
    assert dataset[0]['gt_seg_map'].tolist() == [[0, 20, 255]]


def test_train_and_aug_are_one_data_set(root):
    both = ConcatDataset([make(root, 'train', 'SegmentationClass'),
                          make(root, 'aug', 'SegmentationClassAug')])
    assert [both[i]['gt_seg_map'].tolist() for i in range(2)] == [[[0, 20, 255]], [[15, 1, 0]]]
    assert both.metainfo['classes'] == PascalVOCDataset.METAINFO['classes']


def test_without_a_split_the_error_names_it(root):
    with pytest.raises(DataError, match='no label for 2 of its 3') as error:
        make(root, '', 'SegmentationClass')
    assert 'ann_file names the images that have labels' in str(error.value)


def test_a_missing_split_is_named(root):
    with pytest.raises(DataError, match='nowhere.txt does not exist'):
        make(root, 'nowhere', 'SegmentationClass')


def test_names_and_colours_as_published():
    classes, palette = (PascalVOCDataset.METAINFO[key] for key in ('classes', 'palette'))
    assert len(classes) == len(palette) == 21
    # The kit's map by hand: 15 = 0b01111 is red 128 + 64, green 128, blue 128; 20 = 0b10100 is
    # blue 128 and green 64.
    assert [(classes[i], palette[i]) for i in (0, 1, 15, 20)] == [
        ('background', [0, 0, 0]), ('aeroplane', [128, 0, 0]), ('person', [192, 128, 128]),
        ('tvmonitor', [0, 64, 128])]
