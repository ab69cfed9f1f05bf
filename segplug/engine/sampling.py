"""Which sample comes when, and with which random draws: pure functions of the seed.

Sample number ``position`` of a run is a function of (seed, epoch, position); its
augmentation is a function of (seed, epoch, index). Neither depends on the number of
processes or workers, so a run can stop, resume and move without a trace.
"""

import contextlib
import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence, Sized

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler as _UpstreamInfiniteSampler
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import DataLoader, Sampler

from ..registry import DATA_SAMPLERS

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """A 64-bit number in which every bit of every input matters (splitmix64, Steele 2014)."""
    state = 0
    for number in numbers:
        state = (state ^ (number & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def _mix_array(start: int, numbers: np.ndarray) -> np.ndarray:
    """One more round of `mix` from ``start`` for each of ``numbers``, (n,) uint64."""
    state = (np.uint64(start) ^ numbers) + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return state ^ state >> np.uint64(31)


def epoch_order(seed: int, epoch: int, length: int, shuffle: bool = True) -> np.ndarray:
    """(length,) int64: the order of the samples in one epoch.

    Sorting mixed numbers, unlike a library's generator, gives the same order in every
    version of numpy and torch.
    """
    numbers = np.arange(length, dtype=np.uint64)
    if not shuffle:
        return numbers.astype(np.int64)
    return np.argsort(_mix_array(mix(seed, epoch), numbers), kind='stable')


class SampleKey(int):
    """The index of a sample that also knows the epoch it is drawn in."""

    epoch: int

    def __new__(cls, index: int, epoch: int = 0) -> 'SampleKey':
        key = super().__new__(cls, index)
        key.epoch = epoch
        return key

    def __reduce__(self):
        return SampleKey, (int(self), self.epoch)


class _RankSampler(Sampler):
    """What both samplers share: rank, seed and a start position for one iteration."""

    infinite = False

    def __init__(self, dataset: Sized, shuffle: bool, seed: int | None) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset, self.shuffle = dataset, shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch, self._start = 0, 0

    def set_start(self, num_samples: int) -> None:
        """Leave out this rank's first ``num_samples`` in the next iteration, without reading."""
        self._start = num_samples

    def _take_start(self) -> int:
        start, self._start = self._start, 0
        return start


@DATA_SAMPLERS.register_module()
class DefaultSampler(_RankSampler):
    """One epoch of the data set, shared out to the ranks by turns, or as `follow` says.

    Args:
        dataset: Anything with a length.
        shuffle: Whether each epoch has an order of its own.
        seed: Of the order; None takes a random one that all ranks share.
        round_up: Whether to repeat samples until all ranks have equally many. None: yes when
            shuffled (ranks must take equally many steps), no otherwise (a test scores each
            image once).
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None,
                 round_up: bool | None = None) -> None:
        super().__init__(dataset, shuffle, seed)
        self.round_up = shuffle if round_up is None else round_up
        length = len(dataset)
        if self.round_up:
            self.num_samples = math.ceil(length / self.world_size)
            self.total_size = self.num_samples * self.world_size
        else:
            self.num_samples = max(0, math.ceil((length - self.rank) / self.world_size))
            self.total_size = length
        self.share: Sequence[int] | None = None
        self.costs: Sequence[int] | None = None

    def follow(self, share: Sequence[int], costs: Sequence[int]) -> None:
        """Draw these samples in this order, instead of every n-th one.

        Args:
            share: Indices for this rank; the shares of all ranks are the data set.
            costs: Of every sample of the data set, for those who say how much is done.
        """
        self.share, self.costs, self.num_samples = share, costs, len(share)

    def __iter__(self) -> Iterator[SampleKey]:
        epoch, start = self.epoch, self._take_start()
        if self.share is not None:
            return (SampleKey(index, epoch) for index in self.share[start:])
        order = epoch_order(self.seed, epoch, len(self.dataset), self.shuffle)
        positions = range(self.rank + start * self.world_size, self.total_size, self.world_size)
        return (SampleKey(int(order[p % len(order)]), epoch) for p in positions)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """The next iteration belongs to ``epoch``."""
        self.epoch = epoch


@DATA_SAMPLERS.register_module()
class InfiniteSampler(_RankSampler):
    """Epoch after epoch without end, shared out to the ranks by turns.

    Args:
        dataset: Anything with a length.
        shuffle: Whether each epoch has an order of its own.
        seed: Of the order; None takes a random one that all ranks share.
    """

    infinite = True

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle, seed)
        self.size = len(dataset)

    def __iter__(self) -> Iterator[SampleKey]:
        return self._keys(self._take_start())

    def _keys(self, start: int) -> Iterator[SampleKey]:
        current, order = -1, None
        for position in itertools.count(self.rank + start * self.world_size, self.world_size):
            epoch, place = divmod(position, self.size)
            if epoch != current:
                current, order = epoch, epoch_order(self.seed, epoch, self.size, self.shuffle)
            yield SampleKey(int(order[place]), epoch)

    def __len__(self) -> int:
        """Of the data set, as mmengine's: an iteration itself never ends."""
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """The position alone says the epoch; hooks that call this need not know."""


class KeyedSampler(Sampler):
    """Another package's sampler or batch sampler: its plain indices get an epoch, its draws a seed.

    The epoch is what `set_epoch` said, else the number of finished iterations; for a sampler
    without end it grows each time its length has passed. What it draws from the global generators
    follows from (seed, epoch); one of its own is brought to its place in a resumed run by drawing
    again all that was drawn before, without reading a sample.

    Args:
        sampler: Of indices or of lists of them.
        seed: Of its draws from the global generators.
    """

    def __init__(self, sampler: Iterable, seed: int = 0) -> None:
        self.wrapped, self.seed = sampler, seed
        self.infinite = getattr(sampler, 'infinite',
                                isinstance(sampler, _UpstreamInfiniteSampler))
        self._epoch = self._start = self._before = self._passes = 0

    def __iter__(self) -> Iterator:
        epoch, start, self._start = self._epoch, self._start, 0
        length = len(self)
        while True:
            current = min(self._passes, epoch)
            self._tell(current)
            items, taken = _Drawn(self.wrapped, self.seed, current), []
            if current == epoch:
                break
            taken = items.take(length + 1)
            if len(taken) > length:  # without end, and does not say so: there is this pass only
                epoch, start = current, start + epoch * self._before
                break
            self._passes += 1
        items.take(start - len(taken))
        for count, item in enumerate(itertools.chain(taken[start:], items), start):
            yield _with_epoch(item, epoch + count // max(length, 1))
        self._passes = self._epoch = epoch + 1

    def __len__(self) -> int:
        return len(self.wrapped)

    def __getattr__(self, name: str):
        if name == 'wrapped':  # not set yet while unpickling
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    def set_epoch(self, epoch: int) -> None:
        """Said to the wrapped sampler as well, or to the one inside a batch sampler."""
        self._epoch = epoch
        self._tell(epoch)

    def _tell(self, epoch: int) -> None:
        inner = self.wrapped
        while inner is not None:
            if hasattr(inner, 'set_epoch'):
                inner.set_epoch(epoch)
                break
            inner = getattr(inner, 'sampler', None)

    def set_start(self, count: int, per_epoch: int = 0) -> None:
        """Leave out the first ``count`` items of the next iteration; each before had so many."""
        self._start, self._before = count, per_epoch


class _Drawn:
    """The items of a sampler, drawn from generators that nobody else draws from."""

    def __init__(self, items: Iterable, *numbers: int) -> None:
        with seeded(*numbers):
            self._items, self._states = iter(items), _generator_states()

    def __iter__(self) -> '_Drawn':
        return self

    def __next__(self):
        with self._own():
            return next(self._items)

    def take(self, count: int) -> list:
        """The next ``count`` items, or as many as there are."""
        with self._own():
            return list(itertools.islice(self._items, max(count, 0)))

    @contextlib.contextmanager
    def _own(self) -> Iterator[None]:
        before = _generator_states()
        _set_generators(self._states)
        try:
            yield
        finally:
            self._states = _generator_states()
            _set_generators(before)


def _with_epoch(item, epoch: int):
    if isinstance(item, list | tuple):
        return [_with_epoch(one, epoch) for one in item]
    return item if isinstance(item, SampleKey) else SampleKey(item, epoch)


def keyed(sampler, seed: int = 0):
    """``sampler`` if it yields `SampleKey`s itself, else wrapped so that it does."""
    known = isinstance(sampler, _RankSampler | KeyedSampler)
    return sampler if known else KeyedSampler(sampler, seed)


def _driver(dataloader: DataLoader):
    """The object that decides the order, and how many of its items make one batch."""
    if isinstance(dataloader.batch_sampler, KeyedSampler):
        return dataloader.batch_sampler, 1
    return dataloader.sampler, dataloader.batch_size or 1


def is_infinite(dataloader: DataLoader) -> bool:
    """Whether one iteration over ``dataloader`` never ends."""
    return getattr(_driver(dataloader)[0], 'infinite', False)


def seek(dataloader: DataLoader, epoch: int, num_batches: int) -> None:
    """Let the next iteration start at batch ``num_batches`` of ``epoch``, reading none before."""
    driver, per_batch = _driver(dataloader)
    if hasattr(driver, 'set_epoch'):
        driver.set_epoch(epoch)
    if isinstance(driver, KeyedSampler):
        per_epoch = 0 if driver.infinite else len(dataloader) * per_batch
        driver.set_start(num_batches * per_batch, per_epoch)
    elif hasattr(driver, 'set_start'):
        driver.set_start(num_batches * per_batch)


def reseed(dataloader: DataLoader, before: int, seed: int) -> None:
    """Set the seed of order and augmentation, before the first iteration of a resumed run.

    Left alone is a sampler that has a seed of its own in the config, that is not ``before``.
    """
    sampler = _driver(dataloader)[0]
    while sampler is not None:  # ours, or a plain one inside `KeyedSampler`s and batch samplers
        _replace_seed(sampler, before, seed)
        sampler = getattr(sampler, 'wrapped', None) or getattr(sampler, 'sampler', None)
    _replace_seed(dataloader.dataset, before, seed)


def _replace_seed(part, before: int, seed: int) -> None:
    if vars(part).get('seed') == before:
        part.seed = seed


@contextlib.contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Python's, numpy's and torch's (CPU) generators follow from ``numbers`` inside only."""
    before = _generator_states()
    seed_generators(*numbers)
    try:
        yield
    finally:
        _set_generators(before)


def _generator_states() -> tuple:
    return random.getstate(), np.random.get_state(), torch.default_generator.get_state()


def _set_generators(states: tuple) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.default_generator.set_state(states[2])


def seed_generators(*numbers: int) -> None:
    """Seed python's, numpy's and torch's (CPU) generators from ``numbers``, each its own way."""
    base = mix(*numbers)
    random.seed(mix(base, 1))
    np.random.seed([mix(base, 2) & 0xFFFFFFFF, mix(base, 3) & 0xFFFFFFFF])
    torch.default_generator.manual_seed(mix(base, 4))


class SampleStream(torch.utils.data.Dataset):
    """A training data set whose sample ``index`` is drawn from (seed, epoch, index) alone.

    Everything else is asked of the wrapped data set (``metainfo``, ``get_data_info`` ...).
    """

    def __init__(self, dataset, seed: int) -> None:
        self.dataset, self.seed = dataset, seed

    def __getitem__(self, key: int):
        index = int(key)
        with seeded(self.seed, getattr(key, 'epoch', 0), index):
            return self.dataset[index]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str):
        # Not set yet while unpickling. And torch would read by ``__getitems__`` of a data set that
        # has it (a Subset) without our draws.
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)
