"""A sample's draws follow from (seed, epoch, index) alone, through every data set of data sets."""

import itertools
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

import segplug.datasets  # noqa: F401
from segplug.engine.dataloading import build_dataloader
from segplug.engine.sampling import SampleKey, seek
from segplug.registry import DATASETS, TRANSFORMS

NUM_EPOCHS, BATCH = 3, 2


@TRANSFORMS.register_module()
class DrawThree:
    """Adds a draw of each generator that transforms use."""

    def __call__(self, results: dict) -> dict:
        drawn = (random.random(), float(np.random.rand()), float(torch.rand(1)))
        return {**results, 'draws': results.get('draws', ()) + drawn}


@TRANSFORMS.register_module()
class DrawOthers:
    """Needs two samples that it draws, as RandomMosaic needs three; takes over their draws."""

    def get_indices(self, dataset) -> list[int]:
        return [random.randrange(len(dataset)), int(np.random.randint(len(dataset)))]

    def __call__(self, results: dict) -> dict:
        others = [draw for other in results['mix_results'] for draw in other['draws']]
        return {**results, 'draws': (*results['draws'], *others)}


@DATASETS.register_module()
class DrawingData(BaseDataset):
    """Five samples that hold nothing but draws; classes 0 in all, 1 in the first."""

    METAINFO = dict(classes=('a', 'b'))

    def load_data_list(self) -> list[dict]:
        return [dict(number=i) for i in range(5)]

    def get_cat_ids(self, idx: int) -> list[int]:
        return [0, 1] if idx == 0 else [0]


@pytest.fixture(autouse=True)
def _in_our_scope(monkeypatch):
    DefaultScope.get_instance('test_sample_streams', scope_name='segplug')
    monkeypatch.setattr('segplug.datasets.class_ids.of_all',
                        lambda dataset: [dataset.get_cat_ids(i) for i in range(len(dataset))])


INNER = dict(type='DrawingData', pipeline=[dict(type='DrawThree')])
SETS = {  # and how many samples an epoch has
    'plain': (INNER, 5),
    'repeated': (dict(type='RepeatDataset', dataset=INNER, times=3), 15),
    'joined': (dict(type='ConcatDataset', datasets=[INNER, INNER]), 10),
    # f(1) = 1/5: sqrt(0.8 / 0.2) = 2 times the first
    'balanced': (dict(type='ClassBalancedDataset', dataset=INNER, oversample_thr=0.8), 6),
    'mixed': (dict(type='MultiImageMixDataset', dataset=INNER,
                   pipeline=[dict(type='DrawOthers'), dict(type='DrawThree')]), 5),
    'all': (dict(type='MultiImageMixDataset', pipeline=[dict(type='DrawOthers')], dataset=dict(
        type='RepeatDataset', times=2, dataset=dict(
            type='ConcatDataset', datasets=[INNER, dict(
                type='ClassBalancedDataset', dataset=INNER, oversample_thr=0.8)]))), 22)}


def loader_of(name: str, workers: int = 0, persistent: bool = False, seed: int = 4,
              sampler: str = 'DefaultSampler'):
    return build_dataloader(
        dict(dataset=SETS[name][0], batch_size=BATCH, num_workers=workers, collate_fn=list,
             persistent_workers=persistent, disable_subprocess_warning=True,
             sampler=dict(type=sampler, shuffle=True)), seed=seed, stream=True)


def epochs(loader) -> list[list[tuple]]:
    """For each epoch the draws of its samples, in the order of the samples."""
    found = []
    for epoch in range(NUM_EPOCHS):
        seek(loader, epoch, 0)
        keys = [int(key) for key in loader.sampler]
        seek(loader, epoch, 0)
        drawn = [sample['draws'] for batch in loader for sample in batch]
        found.append([draws for _, draws in sorted(zip(keys, drawn, strict=True))])
    return found


@pytest.mark.parametrize('name', SETS)
def test_no_two_samples_of_any_epochs_share_draws(name):
    found = epochs(loader_of(name))
    assert [len(epoch) for epoch in found] == [SETS[name][1]] * NUM_EPOCHS
    draws = [one for epoch in found for sample in epoch for one in sample]
    own = len(draws)
    if name in ('mixed', 'all'):  # a sample that is mixed in twice by one mix comes with new draws
        assert own >= 9 * SETS[name][1] * NUM_EPOCHS
    assert len(set(draws)) == own
    other = epochs(loader_of(name, seed=5))
    assert not set(draws) & {one for epoch in other for sample in epoch for one in sample}


@pytest.mark.parametrize('name', SETS)
def test_draws_follow_from_seed_epoch_and_index_alone(name):
    """In any order, a second time, from another state of the generators, from another loader."""
    found = epochs(loader_of(name))
    stream = loader_of(name, sampler='InfiniteSampler').dataset
    keys = [*itertools.product(range(NUM_EPOCHS), range(SETS[name][1]))] * 2
    random.Random(0).shuffle(keys)
    for epoch, index in keys:
        random.seed(index)
        assert stream[SampleKey(index, epoch)]['draws'] == found[epoch][index]


@pytest.mark.parametrize(('name', 'workers', 'persistent'), [
    ('all', 2, False), ('all', 4, True), ('mixed', 2, True)])
def test_workers_draw_the_same(name, workers, persistent):
    loader = loader_of(name, workers, persistent)
    assert epochs(loader) == epochs(loader_of(name))
    if persistent:
        loader._iterator._shutdown_workers()


def test_without_streams_epochs_repeat():
    """The negative control, and mmengine's fault: workers start each epoch alike."""
    cfg = dict(dataset=INNER, batch_size=5, num_workers=1, collate_fn=list,
               sampler=dict(type='DefaultSampler', shuffle=False))
    loader = build_dataloader(cfg, seed=4)
    first, second = ([sample['draws'] for batch in loader for sample in batch] for _ in range(2))
    assert first == second
