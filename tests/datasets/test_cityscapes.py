"""CityscapesDataset: ids and colours as cityscapesScripts has them; which label files it reads."""

import cv2
import numpy as np
import pytest

from segplug.datasets.cityscapes import CityscapesDataset, compose, train_id_map
from segplug.errors import DataError

PREFIX = dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
NAMES = ('aachen/aachen_000000_000019', 'ulm/ulm_000001_000019')


def put(root, folder, name, pixels):
    file = root / folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), pixels)


@pytest.fixture
def root(tmp_path):
    """Two images with labelIds 7 (road), 0 (unlabelled), 33 (bicycle), 40 (no such id)."""
    for name in NAMES:
        put(tmp_path, 'leftImg8bit/train', f'{name}_leftImg8bit.png', np.zeros((1, 4, 3), np.uint8))
        put(tmp_path, 'gtFine/train', f'{name}_gtFine_labelIds.png',
            np.array([[7, 0, 33, 40]], np.uint8))
    return tmp_path


def add_train_ids(root, names=NAMES):
    for name in names:
        put(root, 'gtFine/train', f'{name}_gtFine_labelTrainIds.png',
            np.array([[5, 255, 6, 7]], np.uint8))


def make(root, **kwargs):
    return CityscapesDataset(data_root=str(root), data_prefix=PREFIX, pipeline=LOAD, **kwargs)


def test_facts_are_those_of_cityscapesscripts():
    labels = pytest.importorskip('cityscapesscripts.helpers.labels').labels
    classes = sorted((x for x in labels if 0 <= x.trainId < 255), key=lambda x: x.trainId)
    assert CityscapesDataset.METAINFO['classes'] == tuple(x.name for x in classes)
    assert CityscapesDataset.METAINFO['palette'] == [list(x.color) for x in classes]
    assert CityscapesDataset.METAINFO['label_ids'] == [x.id for x in classes]
    assert train_id_map() == {x.id: x.trainId for x in labels if x.id >= 0}
    categories = {}
    for x in classes:
        categories[x.category] = (*categories.get(x.category, ()), x.name)
    assert CityscapesDataset.METAINFO['categories'] == categories


def test_label_ids_are_mapped_on_the_fly(root):
    dataset = make(root)
    assert dataset.seg_map_suffix == '_gtFine_labelIds.png'
    # 40 is no label id; it stays, for the label guard to name.
    assert dataset[0]['gt_seg_map'].tolist() == [[0, 255, 18, 40]]


def test_train_ids_are_taken_where_the_whole_set_has_them(root):
    add_train_ids(root)
    assert make(root)[1]['gt_seg_map'].tolist() == [[5, 255, 6, 7]]
    assert make(root, seg_map_suffix='_gtFine_labelIds.png')[1]['gt_seg_map'][0, 2] == 18


def test_the_choice_is_made_for_the_whole_set(root):
    add_train_ids(root, NAMES[:1])
    assert make(root)[0]['gt_seg_map'].tolist() == [[0, 255, 18, 40]]


def test_a_choice_of_classes_maps_label_ids_in_one_table(root):
    dataset = make(root, metainfo=dict(classes=('bicycle', 'car')))
    # road is left out; 18 (bicycle) -> 0
    assert dataset[0]['gt_seg_map'].tolist() == [[255, 255, 0, 40]]
    assert dataset.metainfo['label_ids'] == [33, 26]
    assert dataset.metainfo['palette'] == [[119, 11, 32], [0, 0, 142]]


def test_compose_by_hand():
    assert compose({7: 0, 8: 1, 9: 255}, {0: 3, 1: 255}) == {7: 3, 8: 255, 9: 255}
    assert compose({7: 0}, None) == {7: 0}


def test_an_image_with_neither_label_names_both_kinds(root):
    (root / 'gtFine/train' / f'{NAMES[0]}_gtFine_labelIds.png').unlink()
    with pytest.raises(DataError, match=r'\*_gtFine_labelTrainIds.png \(or \*_gtFine_labelIds'):
        make(root)


def test_the_test_split_needs_no_labels(root):
    dataset = CityscapesDataset(data_root=str(root), data_prefix=dict(img_path=PREFIX['img_path']),
                                pipeline=LOAD, test_mode=True)
    assert 'gt_seg_map' not in dataset[0]


def test_a_subclass_with_classes_of_its_own_needs_no_label_ids(root):
    class Two(CityscapesDataset):
        METAINFO = dict(classes=('a', 'b'), palette=[[1, 1, 1], [2, 2, 2]])

    add_train_ids(root)
    dataset = Two(data_root=str(root), data_prefix=PREFIX)
    assert dataset.metainfo['classes'] == ('a', 'b')
    assert 'label_ids' not in dataset.metainfo
