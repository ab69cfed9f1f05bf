"""BaseSegDataset: pairing, classes, and errors that come before training."""

import os

import cv2
import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from segplug.datasets.base import BaseSegDataset, class_map, default_palette
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS

PREFIX = dict(img_path='img', seg_map_path='ann')
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]


class Three(BaseSegDataset):
    METAINFO = dict(classes=('road', 'car', 'sky'), palette=[[1, 1, 1], [2, 2, 2], [3, 3, 3]])


@pytest.fixture(autouse=True)
def no_scope(monkeypatch):
    """No default scope, whatever ran before."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', type(DefaultScope._instance_dict)())


@pytest.fixture
def root(tmp_path):
    """Three pairs; label of image i: i in the left column, 0, 1, 2 in the others."""
    tmp_path = tmp_path / 'set'
    for i, name in enumerate(('a', 'sub/b', 'c')):
        label = np.array([[i, 0, 1, 2]] * 3, np.uint8)
        for folder, ext, pixels in (('img', 'jpg', np.full((3, 4, 3), 60, np.uint8)),
                                    ('ann', 'png', label)):
            file = tmp_path / folder / f'{name}.{ext}'
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), pixels)
    return tmp_path


def make(root, cls=Three, **kwargs):
    return cls(data_root=str(root), **{'data_prefix': PREFIX, 'pipeline': LOAD, **kwargs})


def test_samples_are_pairs_in_sorted_order(root):
    dataset = make(root)
    assert len(dataset) == 3
    assert [dataset.get_data_info(i)['img_path'] for i in range(3)] == [
        f'{root}/img/a.jpg', f'{root}/img/c.jpg', f'{root}/img/sub/b.jpg']
    info = dataset.get_data_info(2)
    assert info == dict(img_path=f'{root}/img/sub/b.jpg', seg_map_path=f'{root}/ann/sub/b.png',
                        label_map=None, reduce_zero_label=False, seg_fields=[], sample_idx=2)


def test_another_ignore_index_reaches_the_loader(root):
    assert make(root, ignore_index=300).get_data_info(0)['ignore_index'] == 300
    # 0 becomes 300, which 8 bits do not hold; see `labels.label_table`.
    dataset = make(root, ignore_index=300, reduce_zero_label=True)
    assert dataset[0]['data_samples'].gt_sem_seg.data[0, 0].tolist() == [300, 300, 0, 1]


def test_a_sample_is_packed_and_knows_its_index(root):
    dataset = make(root)
    sample = dataset[-1]
    assert sample['inputs'].shape == (3, 3, 4)
    assert sample['data_samples'].sample_idx == 2
    # sub/b was made second, so its left column is 1.
    assert sample['data_samples'].gt_sem_seg.data[0, 0].tolist() == [1, 0, 1, 2]
    with pytest.raises(IndexError):
        dataset[3]


def test_split_file_sets_members_and_order(root):
    (root / 'split.txt').write_text('c\na\n')
    dataset = make(root, ann_file='split.txt')
    assert [dataset.get_data_info(i)['img_path'][-5:] for i in range(len(dataset))] == [
        'c.jpg', 'a.jpg']
    (root / 'split.txt').write_text('c\nlost\n')
    with pytest.raises(DataError, match=r'lacks 1 of the 2 images .*: lost\.jpg'):
        make(root, ann_file='split.txt')
    (root / 'split.txt').write_text('\n')
    with pytest.raises(DataError, match='finds no name in'):
        make(root, ann_file='split.txt')


@pytest.mark.parametrize('serialize', [True, False])
def test_indices_and_subsets(root, serialize):
    assert len(make(root, indices=2, serialize_data=serialize)) == 2
    subset = make(root, serialize_data=serialize).get_subset([2])
    assert subset.get_data_info(0)['img_path'].endswith('sub/b.jpg')


def test_mmengine_wrappers_accept_it(root):
    both = ConcatDataset([make(root), make(root)])
    assert len(both) == 6
    assert both.metainfo['classes'] == ('road', 'car', 'sky')


def test_lazy_init_lists_files_when_asked(root):
    dataset = make(root / 'nowhere', lazy_init=True)
    with pytest.raises(DataError):
        dataset[0]
    dataset = make(root, lazy_init=True)
    assert dataset[0]['data_samples'].sample_idx == 0


def test_a_choice_of_classes_moves_labels_palette_and_metainfo(root):
    dataset = make(root, metainfo=dict(classes=['sky', 'road']))
    # road 0 -> 1, car 1 -> ignore, sky 2 -> 0; the left column of sub/b is car.
    assert dataset.label_map == {0: 1, 1: 255, 2: 0}
    assert dataset[2]['data_samples'].gt_sem_seg.data[0, 0].tolist() == [255, 1, 255, 0]
    assert dataset.metainfo['palette'] == [[3, 3, 3], [1, 1, 1]]
    assert dataset.metainfo['classes'] == ('sky', 'road')


def test_classes_in_another_order_take_their_colours_along(root):
    dataset = make(root, metainfo=dict(classes=('sky', 'car', 'road')))
    assert dataset.metainfo['palette'] == [[3, 3, 3], [2, 2, 2], [1, 1, 1]]


def test_a_left_out_class_becomes_the_sets_own_ignore_index(root):
    assert make(root, metainfo=dict(classes=['road']), ignore_index=9).label_map == {
        0: 0, 1: 9, 2: 9}


def test_unknown_class_and_wrong_palette_are_config_errors(root):
    with pytest.raises(ConfigError, match=r"no class 'raod'.*did you mean 'road'"):
        make(root, metainfo=dict(classes=('raod',)))
    with pytest.raises(ConfigError, match='palette of Three .* 2 entries. Expected: 3'):
        make(root, metainfo=dict(palette=[[0, 0, 0], [1, 1, 1]]))
    with pytest.raises(ConfigError, match='needs class names'):
        make(root, cls=BaseSegDataset, test_mode=True)


def test_class_names_that_cannot_be_meant(root):
    with pytest.raises(ConfigError, match='named twice'):
        make(root, metainfo=dict(classes=('road', 'road')))
    with pytest.raises(ConfigError, match=r"names 'lost\.txt' does not exist"):
        make(root, metainfo=dict(classes='lost.txt'))


def test_max_refetch_is_taken_and_said_to_do_nothing(root, monkeypatch):
    printed = []
    monkeypatch.setattr('segplug.datasets.base.print_log', lambda text, *rest: printed.append(text))
    assert len(make(root)) == len(make(root, max_refetch=3)) == 3
    assert len(printed) == 1
    assert 'max_refetch has no effect' in printed[0]


def test_class_map_by_hand():
    assert class_map(('a', 'b', 'c'), ('c', 'a')) == {0: 1, 1: 255, 2: 0}


def test_default_palette_is_the_voc_map_without_black():
    # The first rows of PASCAL VOC's map: aeroplane, bicycle, bird, boat.
    assert default_palette(4) == [[128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert len({tuple(c) for c in default_palette(200)}) == 200


def test_reduce_zero_label_reaches_the_label(root):
    dataset = make(root, reduce_zero_label=True)
    # 1 0 1 2 -> 0, ignore, 0, 1
    assert dataset[2]['data_samples'].gt_sem_seg.data[0, 0].tolist() == [0, 255, 0, 1]


def test_wrong_root_shows_the_tree_and_the_right_root(root):
    with pytest.raises(DataError) as error:
        make(root.parent)
    said = str(error.value)
    assert f'{root.parent}/img/**/*.jpg and {root.parent}/ann/**/*.png' in said
    assert f'nearest folder {root.parent} holds' in said
    assert f'--data-root {root}' in said


def test_empty_split_and_wrong_suffix(root):
    (root / 'empty').mkdir()
    with pytest.raises(DataError, match='Three finds no image.*empty holds nothing'):
        make(root, data_prefix=dict(img_path='empty', seg_map_path='ann'))
    with pytest.raises(DataError, match=r'finds no image.*3 files below it \(3 \*\.jpg\)'):
        make(root, img_suffix='.jpeg')
    with pytest.raises(DataError, match="set img_suffix='.jpg' and seg_map_suffix='.png', which "
                       'pair 3 of the 3 files'):
        make(root, seg_map_suffix='_mask.png')


def test_a_folder_that_mixes_kinds_of_images(root):
    (root / 'img/c.jpg').rename(root / 'img/c.PNG')
    both = make(root, img_suffix=['.jpg', '.PNG'])
    assert [os.path.relpath(both.get_data_info(i)['img_path'], root) for i in range(3)] == [
        'img/a.jpg', 'img/c.PNG', 'img/sub/b.jpg']
    assert [int(s['data_samples'].gt_sem_seg.data[0, 0, 0]) for s in both] == [0, 2, 1]
    with pytest.raises(DataError, match=r'img/\*\*/\*\{\.jpg,\.PNG\} and'):
        make(root, img_suffix=['.jpg', '.PNG'], seg_map_suffix='_l.png')
    (root / 'all.txt').write_text('c.PNG\na.jpg\nsub/b.jpg\n')
    with pytest.raises(DataError, match=r"c.PNG.jpg.*set img_suffix=\('.jpg', '.PNG'\)"):
        make(root, ann_file='all.txt')
    assert len(make(root, img_suffix=('.jpg', '.PNG'), ann_file='all.txt')) == 3


def test_images_without_label_are_counted_and_named(root):
    (root / 'ann' / 'c.png').unlink()
    with pytest.raises(DataError, match=r'no label for 1 of its 3 images: c\.png') as error:
        make(root)
    assert 'leave seg_map_path out' not in str(error.value)
    with pytest.raises(DataError, match='leave seg_map_path out of data_prefix'):
        make(root, test_mode=True)


@pytest.mark.parametrize('prefix', [dict(img_path='img'), dict(img_path='img', seg_map_path=None)])
def test_a_set_without_labels_predicts_but_does_not_train(root, prefix):
    dataset = make(root, data_prefix=prefix, test_mode=True)
    assert 'gt_sem_seg' not in dataset[0]['data_samples']
    with pytest.raises(DataError, match='data_prefix has no seg_map_path'):
        make(root, data_prefix=prefix)


def test_a_sample_is_never_replaced(root):
    with pytest.raises(DataError, match=r'pipeline gave None for .*c\.jpg'):
        make(root, pipeline=[lambda results: None])[1]


@pytest.mark.parametrize('num_workers', [0, 1])
@pytest.mark.parametrize('name', ['img/c.jpg', 'ann/c.png'])
def test_a_broken_file_is_named_from_a_worker_too(root, name, num_workers):
    dataset = make(root, indices=[1])
    (root / name).write_bytes(b'')
    with pytest.raises(DataError, match=f'{name} is empty'):
        next(iter(DataLoader(dataset, num_workers=num_workers, collate_fn=list)))


def test_names_are_ours_without_a_default_scope_in_mmcvs_wrappers_too(root):
    assert DefaultScope.get_current_instance() is None
    choice = dict(type='RandomChoice', transforms=[[dict(type='Resize', scale=(8, 6))],
                                                   [dict(type='GaussianBlur')]])
    first, wrapper = make(root, pipeline=[LOAD[0], choice]).pipeline.transforms
    resize, blur = (t.transforms[0] for t in wrapper.transforms)
    assert {type(t).__module__.split('.')[0] for t in (first, resize, blur)} == {'segplug'}
    assert DefaultScope.get_current_instance() is None


def test_a_misspelt_argument_is_named():
    with pytest.raises(ConfigError, match="did you mean 'seg_map_suffix'"):
        DATASETS.build(dict(type='BaseSegDataset', seg_map_sufix='.png'))


def test_values_are_compared_with_the_classes_where_a_loader_asks(root):
    cv2.imwrite(str(root / 'ann/a.png'), np.full((3, 4), 3, np.uint8))
    dataset = make(root)
    assert 'num_values' not in dataset.get_data_info(0)
    dataset[0]  # the model looks at what is left of it
    dataset.check_values = True
    with pytest.raises(DataError, match=r'a\.png holds values that are no class. Got: 3 in 12 '
                                        r'pixels. Expected: 0 to 2, or 255') as error:
        dataset[0]
    assert error.value.sample == f'{root}/img/a.jpg'
    dataset[1]
