"""Samples and draws are functions of the seed, not of processes or workers."""

import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler as UpstreamDefaultSampler
from mmengine.dataset import InfiniteSampler as UpstreamInfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Sampler

from segplug.engine import sampling
from segplug.engine.sampling import (
    DefaultSampler,
    InfiniteSampler,
    KeyedSampler,
    SampleKey,
    SampleStream,
    epoch_order,
    is_infinite,
    keyed,
    mix,
    seek,
)


class Noise(torch.utils.data.Dataset):
    """Sample i: i and one draw of each generator."""

    metainfo = dict(classes=('a',))

    def __init__(self, length=10):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        assert type(index) is int
        return (index, random.random(), np.random.rand(), torch.rand(1).item())


def as_rank(monkeypatch, rank, world):
    monkeypatch.setattr(sampling, 'get_dist_info', lambda: (rank, world))


def take(iterable, count):
    return [x for x, _ in zip(iterable, range(count), strict=False)]


def test_mix_matches_its_array_form_and_splitmix64():
    # The first output of splitmix64 seeded with 0, as its reference implementation prints it.
    assert mix(0) == 0xE220A8397B1DCDAF
    numbers = np.arange(5, dtype=np.uint64)
    assert sampling._mix_array(mix(7, 3), numbers).tolist() == [mix(7, 3, i) for i in range(5)]
    assert mix(1, 2) != mix(2, 1)


def test_order_is_a_permutation_fixed_for_all_time():
    assert epoch_order(0, 0, 10).tolist() == [0, 9, 1, 6, 3, 5, 4, 2, 8, 7]
    assert epoch_order(0, 1, 10).tolist() == [8, 3, 0, 1, 5, 2, 7, 4, 9, 6]
    assert sorted(epoch_order(5, 2, 1000)) == list(range(1000))
    assert epoch_order(0, 3, 4, shuffle=False).tolist() == [0, 1, 2, 3]


def test_sample_key_is_an_index_that_survives_pickling():
    key = pickle.loads(pickle.dumps(SampleKey(7, 3)))
    assert key == 7
    assert key.epoch == 3
    assert ['a', 'b'][SampleKey(1, 5)] == 'b'


@pytest.mark.parametrize('world', [2, 4])
@pytest.mark.parametrize('kind', [DefaultSampler, InfiniteSampler])
def test_joined_batches_of_ranks_equal_those_of_one_process(kind, world, monkeypatch):
    total = 4
    single = take(kind(Noise(12), seed=1), 24 if kind is InfiniteSampler else 12)
    ranks = []
    for rank in range(world):
        as_rank(monkeypatch, rank, world)
        ranks.append(take(kind(Noise(12), seed=1), len(single) // world))
    per_rank = total // world
    for step in range(len(single) // total):
        joined = [k for r in ranks for k in r[step * per_rank:(step + 1) * per_rank]]
        expected = single[step * total:(step + 1) * total]
        assert sorted((k, k.epoch) for k in joined) == sorted((k, k.epoch) for k in expected)


def test_infinite_sampler_passes_every_sample_once_per_epoch():
    keys = take(InfiniteSampler(Noise(5), seed=0), 15)
    for epoch in range(3):
        part = keys[5 * epoch:5 * epoch + 5]
        assert sorted(part) == [0, 1, 2, 3, 4]
        assert {k.epoch for k in part} == {epoch}
    assert keys[:5] != keys[5:10]


def test_test_sampler_repeats_none_and_train_sampler_evens_out(monkeypatch):
    counts, seen = {}, []
    for rank in range(4):
        as_rank(monkeypatch, rank, 4)
        test = DefaultSampler(Noise(6), shuffle=False)
        seen += test
        counts[rank] = (len(test), len(list(test)), len(list(DefaultSampler(Noise(6), seed=0))))
    assert sorted(seen) == [0, 1, 2, 3, 4, 5]
    # 6 images on 4 ranks: 2 2 1 1; rounded up: 2 each
    assert counts == {0: (2, 2, 2), 1: (2, 2, 2), 2: (1, 1, 2), 3: (1, 1, 2)}


def test_more_ranks_than_images(monkeypatch):
    as_rank(monkeypatch, 3, 4)
    sampler = DefaultSampler(Noise(2), shuffle=False)
    assert (len(sampler), list(sampler)) == (0, [])


@pytest.mark.parametrize('kind', [DefaultSampler, InfiniteSampler])
def test_start_position_counts_once(kind):
    sampler = kind(Noise(10), seed=0)
    whole = take(sampler, 10)
    sampler.set_start(4)
    assert take(sampler, 6) == whole[4:]
    assert take(sampler, 10) == whole


def stream_loader(workers, persistent=False, sampler=None, batch=4):
    data = Noise()
    return DataLoader(SampleStream(data, seed=5), batch_size=batch, num_workers=workers,
                      persistent_workers=persistent, collate_fn=list,
                      sampler=sampler or DefaultSampler(data, seed=5))


def two_epochs(loader):
    epochs = []
    for epoch in range(2):
        seek(loader, epoch, 0)
        epochs.append([s for batch in loader for s in batch])
    return epochs


@pytest.mark.filterwarnings('ignore:This DataLoader will create')  # two cores
@pytest.mark.parametrize(('workers', 'persistent'), [(2, False), (2, True), (4, False)])
def test_same_samples_for_any_number_of_workers(workers, persistent):
    assert two_epochs(stream_loader(workers, persistent)) == two_epochs(stream_loader(0))


def test_no_two_epochs_share_a_stream():
    first, second = two_epochs(stream_loader(0))
    draws = {s[1:] for s in first + second}
    assert len(draws) == 20


def test_streams_leave_the_main_generators_alone():
    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    with sampling.seeded(0):
        expected = draw()
    with sampling.seeded(0):
        SampleStream(Noise(), 1)[SampleKey(3, 2)]
        assert draw() == expected


def test_stream_hands_on_attributes_and_survives_pickling():
    stream = pickle.loads(pickle.dumps(SampleStream(Noise(), 1)))
    assert stream.metainfo == dict(classes=('a',))
    assert len(stream) == 10
    with pytest.raises(AttributeError):
        stream.nothing  # noqa: B018


def test_plain_samplers_get_epochs():
    wrapped = keyed(UpstreamDefaultSampler(Noise(), seed=0))
    assert isinstance(wrapped, KeyedSampler)
    assert len(wrapped) == 10
    assert {k.epoch for k in wrapped} == {0}
    assert {k.epoch for k in wrapped} == {1}  # nobody said an epoch
    wrapped.set_epoch(7)
    assert wrapped.wrapped.epoch == 7
    assert {k.epoch for k in wrapped} == {7}
    own = DefaultSampler(Noise(), seed=0)
    assert keyed(own) is own


def test_endless_plain_sampler_counts_epochs_and_starts_anywhere():
    whole = take(keyed(UpstreamInfiniteSampler(Noise(5), seed=0)), 15)
    assert [k.epoch for k in whole] == [0] * 5 + [1] * 5 + [2] * 5
    wrapped = keyed(UpstreamInfiniteSampler(Noise(5), seed=0))
    wrapped.set_start(7)
    late = take(wrapped, 8)
    assert [(k, k.epoch) for k in late] == [(k, k.epoch) for k in whole[7:]]


def test_batch_samplers_get_epochs_and_start_by_batches():
    inner = UpstreamDefaultSampler(Noise(), seed=0)
    loader = DataLoader(SampleStream(Noise(), 5), collate_fn=list,
                        batch_sampler=KeyedSampler(BatchSampler(inner, 4, drop_last=False)))
    whole = [s for batch in loader for s in batch]
    seek(loader, 0, 1)
    assert [s for batch in loader for s in batch] == whole[4:]
    seek(loader, 3, 0)
    assert inner.epoch == 3
    assert [k.epoch for batch in loader.batch_sampler for k in batch] == [3] * 10


class Drawing(Sampler):
    """Another package's: draws from the global generators, or has one that goes on over epochs."""

    def __init__(self, kind: str, length: int = 10) -> None:
        self.kind, self.length = kind, length
        self.generator = np.random.RandomState(0)

    def __len__(self):
        return self.length

    def __iter__(self):
        while True:
            if self.kind == 'lazy':
                yield from (int(torch.randint(self.length, ())) for _ in range(self.length))
            elif self.kind == 'global':
                yield from np.random.permutation(self.length).tolist()
            else:
                yield from self.generator.permutation(self.length).tolist()
            if self.kind != 'endless':
                return


@pytest.mark.parametrize('drop_last', [False, True])
@pytest.mark.parametrize('kind', ['lazy', 'global', 'own', 'endless'])
def test_another_packages_sampler_starts_anywhere(kind, drop_last):
    """By iterations, as `IterBasedTrainLoop` goes: epoch after epoch of what may not end."""
    def batches(first, count):
        loader = DataLoader(SampleStream(Noise(), 5), batch_size=4, collate_fn=list,
                            sampler=keyed(Drawing(kind), seed=5), drop_last=drop_last)
        epoch, done = divmod(first, len(loader))
        while True:
            seek(loader, epoch, done)
            for batch in loader:
                random.random(), np.random.rand(), torch.rand(1)  # as others do
                yield batch
                count -= 1
                if not count:
                    return
            epoch, done = epoch + 1, 0

    whole = list(batches(0, 9))
    for first in range(9):
        assert list(batches(first, 9 - first)) == whole[first:]


def test_a_data_set_that_torch_reads_by_lists_is_drawn_from_the_seed():
    """torch asks for ``__getitems__``, which a Subset has."""
    subset = torch.utils.data.Subset(Noise(), list(range(10)))
    loader = DataLoader(SampleStream(subset, seed=5), batch_size=4, collate_fn=list,
                        sampler=DefaultSampler(subset, seed=5))
    assert two_epochs(loader) == two_epochs(stream_loader(0))


def test_which_loaders_never_end():
    assert is_infinite(stream_loader(0, sampler=InfiniteSampler(Noise(), seed=0)))
    assert is_infinite(stream_loader(0, sampler=keyed(UpstreamInfiniteSampler(Noise(), seed=0))))
    assert not is_infinite(stream_loader(0))


def test_reseed_reaches_order_and_draws():
    loader = stream_loader(0)
    sampling.reseed(loader, 5, 9)
    assert (loader.sampler.seed, loader.dataset.seed) == (9, 9)
    loader = stream_loader(0, sampler=keyed(UpstreamDefaultSampler(Noise(), seed=5)))
    sampling.reseed(loader, 5, 9)
    assert loader.sampler.wrapped.seed == 9
    batches = BatchSampler(UpstreamDefaultSampler(Noise(), seed=5), 4, drop_last=False)
    loader = DataLoader(SampleStream(Noise(), 5), batch_sampler=KeyedSampler(batches))
    sampling.reseed(loader, 5, 9)
    assert (batches.sampler.seed, loader.dataset.seed) == (9, 9)


def test_reseed_leaves_a_seed_that_the_config_gave_to_the_sampler():
    loader = stream_loader(0, sampler=DefaultSampler(Noise(), seed=7))
    sampling.reseed(loader, 4, 9)
    assert (loader.sampler.seed, loader.dataset.seed) == (7, 5)
