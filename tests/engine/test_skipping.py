"""What takes a bad sample's place follows from the seed; every other sample stays what it was."""

import pickle
import random

import pytest
import torch
from torch.utils.data import Dataset

from segplug.engine.dataloading import build_dataloader
from segplug.engine.sampling import InfiniteSampler, SampleKey, SampleStream, epoch_order, seek
from segplug.engine.skipping import (
    Replaced,
    Skipped,
    SkippingLoader,
    SkippingStream,
    limit_of,
)
from segplug.errors import ConfigError, DataError

LENGTH = 10


class Points(Dataset):
    """Sample i: i and a draw. Those of ``bad`` cannot be read."""

    def __init__(self, bad=(), error=DataError, length=LENGTH):
        self.bad, self.error, self.length = bad, error, length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index in self.bad:
            raise self.error(f'{index}.png is\nbroken.')
        return index, random.random()

    def get_data_info(self, index):
        return dict(img_path=f'{index}.png')


def loader(bad=(), skip=True, workers=0, batch=2, error=DataError):
    data = Points(bad, error)
    return build_dataloader(dict(
        dataset=data, sampler=InfiniteSampler(data, seed=3), batch_size=batch,
        num_workers=workers, skip_bad_samples=skip, collate_fn=list), seed=3, stream=True)


def run(loader, batches, start=0):
    """(samples, names of those that were left out) of some batches."""
    seek(loader, 0, start)
    samples = [s for batch, _ in zip(loader, range(batches), strict=False) for s in batch]
    names = [one.name for one in getattr(loader, 'skipped', [])]
    return samples, names


def test_the_next_of_the_order_takes_the_place_and_all_others_stay():
    order = epoch_order(3, 0, LENGTH).tolist()  # batches of 2: (0, 1), (2, 3) ...
    bad = (order[1], order[2], order[9])
    plain, _ = run(loader(), 5)
    found, names = run(loader(bad), 5)
    expected = [order[i] for i in (0, 3, 3, 3, 4, 5, 6, 7, 8, 0)]  # after the last comes the first
    assert [index for index, _ in found] == expected
    assert [found[i] for i in (0, 3, 4, 5, 6, 7, 8)] == [plain[i] for i in (0, 3, 4, 5, 6, 7, 8)]
    assert len({found[i] for i in (1, 2, 3)}) == 3  # each with draws of its own
    assert names == [f'{order[i]}.png' for i in (1, 2, 2, 9)]


@pytest.mark.parametrize('workers', [1, 2])
def test_same_samples_and_same_list_for_any_number_of_workers(workers):
    assert run(loader((2, 5), workers=workers), 12) == run(loader((2, 5)), 12)


def test_a_later_start_gives_what_the_whole_run_gave():
    whole, _ = run(loader((2, 5)), 12)
    assert run(loader((2, 5)), 5, start=7)[0] == whole[14:]


def test_a_run_without_bad_samples_is_the_run_without_the_switch():
    assert run(loader(), 8)[0] == run(loader(skip=False), 8)[0]
    assert isinstance(loader(), SkippingLoader)
    assert not isinstance(loader(skip=False), SkippingLoader)


def test_other_loaders_faults_of_files_are_skipped_and_bugs_are_not():
    _, names = run(loader((4,), error=OSError), 5)
    assert names == ['4.png']
    with pytest.raises(ZeroDivisionError):
        run(loader((4,), error=ZeroDivisionError), 5)


def test_without_the_switch_nothing_is_replaced():
    with pytest.raises(DataError, match='4.png'):
        run(loader((4,), skip=False), 5)
    with pytest.raises(DataError, match='4.png'):  # nor where no sampler asked
        SkippingStream(Points((4,)), 0)[4]


def test_more_in_a_row_than_may_be_is_an_error_that_names_them():
    order = epoch_order(0, 0, LENGTH).tolist()
    bad = order[2:5]
    stream = SkippingStream(Points(bad), 0, limit=3)
    replaced = stream[SampleKey(bad[0], 0)]
    assert isinstance(replaced, Replaced)
    assert replaced.skipped == tuple(Skipped(f'{i}.png', f'{i}.png is broken.') for i in bad)
    with pytest.raises(DataError) as error:
        SkippingStream(Points(bad), 0, limit=2)[SampleKey(bad[0], 0)]
    assert f'skip_bad_samples=2 allows, the last one: {bad[2]}.png' in str(error.value)
    assert f'3: {bad[0]}.png; {bad[1]}.png; {bad[2]}.png' in str(error.value)


def test_where_all_are_bad_one_is_named():
    with pytest.raises(DataError, match=r'None of the 10 samples can be used.*3\.png is broken'):
        SkippingStream(Points(range(LENGTH)), 0)[SampleKey(3, 1)]


def test_the_list_gives_what_is_wrong_without_the_advice():
    class Told(Points):
        def __getitem__(self, index):
            if index == 0:
                raise DataError('A is bad.', got=1, expected=2, fix='mend it')
            return index

    replaced = SkippingStream(Told(), 0)[SampleKey(0, 0)]
    assert replaced.skipped[0].reason == 'A is bad. Got: 1. Expected: 2.'


def test_the_order_of_an_unshuffled_sampler_is_that_of_the_data():
    stream = SkippingStream(Points((4,)), 0, shuffle=False)
    assert stream[SampleKey(4, 0)].sample[0] == 5


def test_a_stream_and_what_it_gives_survive_pickling():
    stream = pickle.loads(pickle.dumps(SkippingStream(Points((4,)), 5, 2)))
    assert stream[SampleKey(4, 1)] == SkippingStream(Points((4,)), 5, 2)[SampleKey(4, 1)]
    assert stream[SampleKey(3, 1)] == SampleStream(Points(), 5)[SampleKey(3, 1)]


@pytest.mark.parametrize(('value', 'expected'), [
    (None, (False, None)), (False, (False, None)), (True, (True, None)), (1, (True, 1))])
def test_what_the_switch_may_say(value, expected):
    assert limit_of(value, stream=True) == expected


@pytest.mark.parametrize('value', [0, -1, 2.5, 'yes', [3]])
def test_what_the_switch_may_not_say(value):
    with pytest.raises(ConfigError, match='skip_bad_samples'):
        limit_of(value, stream=True)


def test_a_test_skips_nothing():
    data = Points()
    for value in (True, 3):
        with pytest.raises(ConfigError, match='leaves no sample out'):
            build_dataloader(dict(dataset=data, sampler=InfiniteSampler(data, seed=0),
                                  batch_size=1, skip_bad_samples=value))
    build_dataloader(dict(dataset=data, sampler=InfiniteSampler(data, seed=0), batch_size=1,
                          skip_bad_samples=False))


def test_a_batch_is_pinned_with_its_report(monkeypatch):
    from segplug.engine import skipping
    monkeypatch.setattr(skipping, 'pin_memory', lambda batch: ('pinned', batch))
    found = skipping.Reported(torch.zeros(1), [Skipped('a', 'b')]).pin_memory()
    assert found.batch[0] == 'pinned'
    assert found.skipped == [Skipped('a', 'b')]
