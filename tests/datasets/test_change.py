"""BaseCDDataset: two images per sample, and an error for a second one that is missing."""

import os

import cv2
import numpy as np
import pytest

from segplug.datasets import BaseCDDataset, LEVIRCDDataset
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS

PREFIX = dict(img_path='A', img_path2='B', seg_map_path='label')


@pytest.fixture
def root(tmp_path):
    """Three triples."""
    for folder in ('A', 'B', 'label'):
        (tmp_path / folder / 'sub').mkdir(parents=True)
        for i, name in enumerate(('a', 'b', 'sub/c')):
            pixels = np.full((2, 3) if folder == 'label' else (2, 3, 3), i % 2, np.uint8)
            cv2.imwrite(str(tmp_path / folder / f'{name}.png'), pixels)
    return tmp_path


def make(root, cls=LEVIRCDDataset, **kwargs):
    return cls(data_root=str(root), data_prefix=PREFIX, **kwargs)


def test_a_sample_names_two_images_and_a_label(root):
    dataset = make(root)
    assert len(dataset) == 3
    info = dataset.get_data_info(2)
    assert [info[key] for key in ('img_path', 'img_path2', 'seg_map_path')] == [
        str(root / folder / 'sub/c.png') for folder in ('A', 'B', 'label')]
    assert dataset.metainfo['classes'] == ('background', 'changed')
    assert dataset.metainfo['palette'] == [[0, 0, 0], [255, 255, 255]]


def test_the_label_is_read_as_any_other(root):
    dataset = make(root, pipeline=[dict(type='LoadAnnotations')])
    assert [int(sample['gt_seg_map'].max()) for sample in dataset] == [0, 1, 0]


def test_a_list_of_names_with_or_without_their_end(root):
    (root / 'list.txt').write_text('b.png\na\n')
    dataset = make(root, ann_file='list.txt')
    assert [dataset.get_data_info(i)['img_path2'] for i in (0, 1)] == [
        str(root / 'B/b.png'), str(root / 'B/a.png')]


def test_the_second_image_may_end_otherwise(root):
    (root / 'B/a.png').rename(root / 'B/a_2.tif')
    (root / 'list.txt').write_text('a\n')
    dataset = DATASETS.build(dict(
        type='BaseCDDataset', data_root=str(root), data_prefix=PREFIX, img_suffix='.png',
        img_suffix2='_2.tif', ann_file='list.txt', metainfo=dict(classes=('no', 'yes'))))
    assert dataset.get_data_info(0)['img_path2'] == str(root / 'B/a_2.tif')


def test_both_images_may_be_of_several_kinds(root):
    (root / 'A/a.png').rename(root / 'A/a.jpg')
    (root / 'B/b.png').rename(root / 'B/b.tif')
    dataset = make(root, img_suffix=('.png', '.jpg'), img_suffix2=('.png', '.tif'))
    assert [[os.path.relpath(info[key], root) for key in ('img_path', 'img_path2')]
            for info in map(dataset.get_data_info, range(3))] == [
        ['A/a.jpg', 'B/a.png'], ['A/b.png', 'B/b.tif'], ['A/sub/c.png', 'B/sub/c.png']]


def test_a_second_image_that_is_missing_is_named(root):
    (root / 'B/b.png').unlink()
    with pytest.raises(DataError, match='no second image for 1 of its 3 images: b.png'):
        make(root)


def test_a_prefix_that_is_missing_is_named(root):
    with pytest.raises(DataError, match='LEVIRCDDataset has no img_path2'):
        LEVIRCDDataset(data_root=str(root), data_prefix=dict(img_path='A', seg_map_path='label'))


def test_a_wrong_root_is_one_error(root):
    with pytest.raises(DataError, match='LEVIRCDDataset finds no image') as error:
        make(root / 'nowhere')
    for folder in ('A', 'B', 'label'):
        assert f'{folder}/**/*.png' in str(error.value)


def test_a_misspelt_argument_is_named(root):
    with pytest.raises(ConfigError, match="no argument 'img_sufix2'.*'img_suffix2'"):
        DATASETS.build(dict(type='BaseCDDataset', img_sufix2='.png'))
    with pytest.raises(TypeError, match='img_sufix2'):
        BaseCDDataset(img_sufix2='.png')
