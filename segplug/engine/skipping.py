"""Training on without the samples that cannot be used: replaced, told of and listed.

Set by ``train_dataloader=dict(skip_bad_samples=...)``. Whoever draws a bad sample, worker or not,
takes the next one of that epoch's order. What was left out travels with the batch, so that the
main process knows of it when it trains on that batch, and for any number of workers alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data._utils.pin_memory import pin_memory

from ..errors import ConfigError, DataError
from .loader import Loader
from .sampling import SampleKey, SampleStream, epoch_order, seeded

KEY = 'skip_bad_samples'
# Of our loaders, and of those of other packages that read files themselves.
BAD = (DataError, OSError)


@dataclass(frozen=True)
class Skipped:
    """A sample that was left out.

    Attributes:
        name: Its image's file.
        reason: What is wrong, in one line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Replaced:
    """A sample that stands for others.

    Attributes:
        sample: What the data set gave.
        skipped: The samples that it stands for.
    """

    sample: object
    skipped: tuple[Skipped, ...]


def limit_of(value, stream: bool) -> tuple[bool, int | None]:
    """What ``skip_bad_samples`` says: (whether to skip, how many at most; None for any number).

    Args:
        value: True, False, None, or a number of samples.
        stream: Whether the loader is the training's.

    Raises:
        ConfigError: For another value, or where something else than the training skips.
    """
    if value is None or value is False:
        return False, None
    if value is not True and (not isinstance(value, int) or value < 1):
        raise ConfigError(f'A dataloader has no such {KEY}.', got=repr(value), culprit=KEY,
                          expected='True, False, or the number of samples that may be bad')
    if not stream:
        raise ConfigError('A test or validation leaves no sample out: its scores would be of other '
                          'images.', got=f'{KEY}={value!r}', culprit=KEY,
                          fix=f'set {KEY} in train_dataloader only, and mend the file or take it '
                              'out of the data set')
    return True, None if value is True else value


def too_many(skipped: Sequence[Skipped], limit: int) -> DataError:
    """The error that ends a training with more bad samples than it may have."""
    shown = '; '.join(one.name for one in skipped[:5])
    return DataError(
        f'More samples are bad than {KEY}={limit} allows, the last one: {skipped[-1].reason}',
        got=f'{len(skipped)}: {shown}{"; ..." if len(skipped) > 5 else ""}',
        fix=f'mend the files, take them out of the data set, or set {KEY} higher; True allows any '
            'number', culprit=KEY)


class SkippingStream(SampleStream):
    """A `SampleStream` that gives the next sample of the epoch's order in the place of a bad one.

    It is drawn from (seed, epoch, its index, the bad one's index), so it is no copy of the one that
    the same epoch holds. All other samples are those of a `SampleStream`.

    Args:
        dataset: The training data.
        seed: Of order and draws.
        limit: How many samples may be bad; None for any number.
        shuffle: Whether the order is shuffled.

    Raises:
        DataError: More samples than ``limit`` are bad one after another, or all are.
    """

    def __init__(self, dataset, seed: int, limit: int | None = None, shuffle: bool = True) -> None:
        super().__init__(dataset, seed)
        self.limit, self.shuffle = limit, shuffle

    def __getitem__(self, key: int):
        """A sample, or a `Replaced`; a plain index, which no sampler drew, skips nothing."""
        if not isinstance(key, SampleKey):
            return super().__getitem__(key)
        skipped: dict[str, Skipped] = {}
        for index in self._from(key):
            drawn_for = () if index == key else (int(key),)
            try:
                with seeded(self.seed, key.epoch, index, *drawn_for):
                    sample = self.dataset[index]
            except BAD as error:
                one = Skipped(self._name(error, index), _reason(error))
                skipped.setdefault(one.name, one)
                if self.limit is not None and len(skipped) > self.limit:
                    raise too_many([*skipped.values()], self.limit) from error
            else:
                return Replaced(sample, tuple(skipped.values())) if skipped else sample
        raise DataError(f'None of the {len(self)} samples can be used; one of them: '
                        f'{next(iter(skipped.values())).reason}', culprit=KEY)

    def _from(self, key: SampleKey) -> Iterator[int]:
        """The index, and those after it in the order of its epoch, from the end to the start."""
        yield int(key)
        order = epoch_order(self.seed, key.epoch, len(self), self.shuffle)
        place = int(np.flatnonzero(order == int(key))[0])
        yield from np.roll(order, -place)[1:].tolist()

    def _name(self, error: Exception, index: int) -> str:
        """The image's file, of the data set inside all wrappers if that said it."""
        named = getattr(error, 'sample', None)
        if named is None and hasattr(self.dataset, 'get_data_info'):
            named = self.dataset.get_data_info(index).get('img_path')
        return str(named or f'sample {index}')


def _reason(error: Exception) -> str:
    """What is wrong, without the advice, in one line."""
    if isinstance(error, DataError):
        error = DataError(error.what, got=error.got, expected=error.expected)
    return ' '.join(str(error).split()) or type(error).__name__


@dataclass(frozen=True)
class Reported:
    """A batch on its way to the main process with what was left out of it."""

    batch: object
    skipped: list[Skipped]

    def pin_memory(self) -> 'Reported':
        """Asked for by the loader's thread."""
        return Reported(pin_memory(self.batch), self.skipped)


class SkippingCollate:
    """``collate`` of samples of which some are `Replaced`.

    Args:
        collate: List of samples -> batch.
    """

    def __init__(self, collate: Callable) -> None:
        self.collate = collate

    def __call__(self, items: Sequence):
        skipped = [one for item in items if isinstance(item, Replaced) for one in item.skipped]
        batch = self.collate([item.sample if isinstance(item, Replaced) else item
                              for item in items])
        return Reported(batch, skipped) if skipped else batch


class SkippingLoader(Loader):
    """A DataLoader over a `SkippingStream`: plain batches, and what was left out of them.

    Arguments are DataLoader's.

    Attributes:
        skipped: The samples that were left out of the batches so far, again and again in each
            epoch; whoever reads may empty it.
    """

    @property
    def skipped(self) -> list[Skipped]:
        return self.__dict__.setdefault('_skipped', [])

    def __iter__(self) -> Iterator:
        for batch in super().__iter__():
            if isinstance(batch, Reported):
                self.skipped.extend(batch.skipped)
                batch = batch.batch
            yield batch
