"""Joined, repeated, balanced and mixed data sets: which sample is whose, and named errors."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.registry import DefaultScope

from segplug.apis.config import set_data_root
from segplug.datasets import BDD100KDataset, CityscapesDataset
from segplug.datasets.wrappers import (
    ClassBalancedDataset,
    ConcatDataset,
    MultiImageMixDataset,
    RepeatDataset,
    repeat_factors,
)
from segplug.engine.dataloading import build_dataloader
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS, TRANSFORMS

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
ABC = dict(classes=('a', 'b', 'c'))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Two folders: one has labels 0, 1, 1, 1 and the other 2."""
    monkeypatch.setenv('SEGPLUG_CACHE', str(tmp_path / 'cache'))
    for folder, values in (('one', (0, 1, 1, 1)), ('two', (2,))):
        (tmp_path / folder / 'img').mkdir(parents=True)
        (tmp_path / folder / 'ann').mkdir()
        for i, value in enumerate(values):
            cv2.imwrite(str(tmp_path / folder / 'img' / f'{i}.jpg'),
                        np.full((4, 4, 3), 40 * i, np.uint8))
            cv2.imwrite(str(tmp_path / folder / 'ann' / f'{i}.png'),
                        np.full((4, 4), value, np.uint8))
    return tmp_path


def cfg(root, folder='one', **kwargs):
    return {**dict(type='BaseSegDataset', data_root=str(root), metainfo=ABC, pipeline=LOAD,
                   data_prefix=dict(img_path=f'{folder}/img', seg_map_path=f'{folder}/ann')),
            **kwargs}


def labels(dataset) -> list[int]:
    return [int(sample['gt_seg_map'][0, 0]) for sample in dataset]


# --- joined ----------------------------------------------------------------------------------

def test_one_after_the_other(root):
    dataset = DATASETS.build(dict(type='ConcatDataset', datasets=[
        cfg(root), cfg(root, 'two'), cfg(root, indices=1)]))
    assert type(dataset) is ConcatDataset
    assert labels(dataset) == [0, 1, 1, 1, 2, 0]
    assert dataset.get_data_info(4)['img_path'] == str(root / 'two/img/0.jpg')
    assert dataset.get_cat_ids(4) == [2]
    assert dataset.metainfo['classes'] == ABC['classes']


def test_what_differs_beside_the_classes_is_no_error():
    """Cityscapes has label ids and categories, which BDD100K with the same classes has not."""
    both = ConcatDataset([CityscapesDataset(lazy_init=True), BDD100KDataset(lazy_init=True)],
                         lazy_init=True)
    assert both.metainfo['label_ids'][0] == 7


def test_other_classes_are_an_error_that_says_where(root):
    other = dict(classes=('a', 'x', 'c', 'd'))
    with pytest.raises(ConfigError, match=r'datasets\[1\] of ConcatDataset \(BaseSegDataset\) are '
                       r"not.*4 classes, from class 1 on \['x', 'c', 'd'\]"):
        ConcatDataset([cfg(root), cfg(root, metainfo=other)])
    assert len(ConcatDataset([cfg(root), cfg(root, metainfo=other)], ignore_keys='classes')) == 8
    with pytest.raises(ConfigError, match='has no data set'):
        ConcatDataset([])


@pytest.mark.parametrize('lazy', [False, True])
def test_an_error_inside_says_where(root, lazy):
    with pytest.raises(DataError, match=r'In datasets\[1\] of ConcatDataset: BaseSegDataset finds '
                                        'no image'):
        ConcatDataset([cfg(root), cfg(root, 'lost', lazy_init=lazy)])
    with pytest.raises(DataError, match=r'In the dataset of RepeatDataset: In datasets\[0\] of '
                                        'ConcatDataset: BaseSegDataset finds'):
        RepeatDataset(dict(type='ConcatDataset', datasets=[cfg(root, 'lost', lazy_init=lazy)]), 2)


def test_a_lazy_one_reads_when_it_is_asked(root):
    dataset = ConcatDataset([cfg(root, lazy_init=True)], lazy_init=True)
    assert dataset[1]['gt_seg_map'][0, 0] == 1
    assert len(RepeatDataset(cfg(root, lazy_init=True), 2, lazy_init=True)) == 8


# --- repeated --------------------------------------------------------------------------------

def test_several_times_over(root):
    dataset = DATASETS.build(dict(type='RepeatDataset', times=2, dataset=cfg(root)))
    assert type(dataset) is RepeatDataset
    assert labels(dataset) == [0, 1, 1, 1, 0, 1, 1, 1]  # and it ends
    assert dataset[-4]['gt_seg_map'][0, 0] == 0
    assert dataset.get_data_info(6)['sample_idx'] == 2
    with pytest.raises(IndexError, match='has 8 samples, and none 8'):
        dataset[8]


@pytest.mark.parametrize('times', [0, -1, 1.5])
def test_times_is_a_whole_number(root, times):
    with pytest.raises(ConfigError, match='whole number of times'):
        RepeatDataset(cfg(root), times)


# --- balanced --------------------------------------------------------------------------------

def test_repeat_factors_by_hand():
    """f(0) = 1/4, f(1) = 3/4, threshold 1: r(0) = sqrt(4) = 2, r(1) = sqrt(4/3) = 1.1547."""
    assert repeat_factors([[0, 1], [1], [1], []], 1.0) == pytest.approx([2, 4 / 12 ** .5,
                                                                         4 / 12 ** .5, 1])
    # threshold 1/4: no class is rarer
    assert repeat_factors([[0, 1], [1], [1], []], 0.25) == [1, 1, 1, 1]
    assert repeat_factors([], 0.5) == []


def test_rare_classes_come_more_often(root):
    """Of 5: f(0) = f(2) = 1/5, f(1) = 3/5; threshold 0.6: r = sqrt(3) = 1.7 -> 2 times, else 1."""
    both = dict(type='ConcatDataset', datasets=[cfg(root), cfg(root, 'two')])
    dataset = DATASETS.build(dict(type='ClassBalancedDataset', oversample_thr=0.6, dataset=both))
    assert type(dataset) is ClassBalancedDataset
    assert labels(dataset) == [0, 0, 1, 1, 1, 2, 2]
    assert dataset.repeat_indices == [0, 0, 1, 2, 3, 4, 4]
    assert dataset.get_cat_ids(6) == [2]


@pytest.mark.parametrize('threshold', [0, 1.5])
def test_a_threshold_is_a_share(root, threshold):
    with pytest.raises(ConfigError, match='no such threshold'):
        ClassBalancedDataset(cfg(root), threshold)


# --- mixed -----------------------------------------------------------------------------------

class Pair(BaseTransform):
    """Hands on which images were mixed, and a draw."""

    def __init__(self, count=1):
        self.count = count

    def get_indices(self, dataset):
        drawn = [np.random.randint(len(dataset)) for _ in range(self.count)]
        return drawn if self.count > 1 else drawn[0]

    def transform(self, results):
        mixed = [other['sample_idx'] for other in results['mix_results']]
        return dict(own=results['sample_idx'], mixed=mixed, draw=np.random.rand())


class Nothing(BaseTransform):
    def transform(self, results):
        return None


@pytest.fixture(autouse=True)
def own_transforms():
    for cls in (Pair, Nothing):
        TRANSFORMS.register_module(module=cls)
    yield
    for cls in (Pair, Nothing):
        del TRANSFORMS.module_dict[cls.__name__]


def mix(root, *pipeline, **kwargs):
    return dict(type='MultiImageMixDataset', dataset=cfg(root), pipeline=list(pipeline), **kwargs)


def test_a_transform_gets_the_samples_it_asks_for(root):
    np.random.seed(3)
    drawn = [np.random.randint(4) for _ in range(3)]
    np.random.seed(3)
    dataset = DATASETS.build(mix(root, dict(type='Pair', count=3)))
    assert type(dataset) is MultiImageMixDataset
    assert len(dataset) == 4
    sample = dataset[2]
    assert (sample['own'], sample['mixed']) == (2, drawn)
    assert dataset.metainfo['classes'] == ABC['classes']


def test_one_index_need_be_no_list(root):
    assert len(DATASETS.build(mix(root, dict(type='Pair')))[0]['mixed']) == 1


def test_types_can_be_left_out(root):
    dataset = DATASETS.build(mix(root, dict(type='Pair'), skip_type_keys=['Pair']))
    assert 'gt_seg_map' in dataset[0]
    dataset.update_skip_type_keys([])
    assert 'mixed' in dataset[0]
    with pytest.raises(ConfigError, match='list of names'):
        dataset.update_skip_type_keys('Pair')


def test_a_mix_depends_on_seed_epoch_and_index_alone(root):
    def draws(num_workers, seed=1):
        with DefaultScope.overwrite_default_scope('segplug'):  # as a runner has it
            loader = build_dataloader(dict(
                dataset=mix(root, dict(type='Pair', count=2)), batch_size=2,
                num_workers=num_workers, sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='pseudo_collate')), seed=seed, stream=True)
        epochs = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)
            epochs.append([str(batch) for batch in loader])
        return epochs

    first, second = draws(0)
    assert first != second
    assert [first, second] == draws(1)
    assert draws(0, seed=2)[0] != first


def test_the_published_mosaic(root):
    dataset = DATASETS.build(mix(root, dict(type='RandomMosaic', prob=1.0, img_scale=(4, 4)),
                                 dict(type='PackSegInputs')))
    sample = dataset[0]
    assert sample['inputs'].shape == (3, 8, 8)
    assert sample['data_samples'].gt_sem_seg.data.shape == (1, 8, 8)


def test_what_cannot_be_a_pipeline(root):
    with pytest.raises(ConfigError, match='made of configs'):
        DATASETS.build(mix(root, Pair()))
    with pytest.raises(DataError, match='Nothing gave None for sample 1'):
        DATASETS.build(mix(root, dict(type='Nothing')))[1]


# --- all -------------------------------------------------------------------------------------

def test_the_command_lines_root_reaches_inside(root):
    inner = dict(type='RepeatDataset', times=2, dataset=dict(
        type='ConcatDataset', datasets=[cfg('elsewhere'), cfg('elsewhere', 'two')]))
    config = Config(dict(train_dataloader=dict(dataset=dict(
        type='MultiImageMixDataset', pipeline=[], dataset=dict(
            type='ClassBalancedDataset', oversample_thr=0.1, dataset=inner)))))
    set_data_root(config, str(root))
    assert len(DATASETS.build(config.train_dataloader.dataset)) == 10
