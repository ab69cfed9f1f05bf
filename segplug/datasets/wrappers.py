"""Data sets made of data sets: joined, repeated, balanced, mixed.

Under mmengine's and mmsegmentation's names and arguments. An inner data set is a config or any
object with mmengine's interface. What goes wrong in it is said with its place.
"""

import contextlib
import copy
import math
from collections import Counter
from collections.abc import Iterator, Sequence

from mmengine.dataset import ConcatDataset as _UpstreamConcatDataset

from ..errors import ConfigError, DataError, SegplugError
from ..registry import DATASETS, TRANSFORMS
from . import class_ids
from .base import own_scope


@contextlib.contextmanager
def _naming(place: str) -> Iterator[None]:
    """Errors inside say where: 'In datasets[1] of ConcatDataset: ...'."""
    try:
        yield
    except SegplugError as error:
        error.what = f'In {place}: {error.what}'
        raise


def _made(dataset, place: str):
    """``dataset``, built if it is a config."""
    if not isinstance(dataset, dict):
        return dataset
    with _naming(place):
        return DATASETS.build(dataset)


@DATASETS.register_module()
class ConcatDataset(_UpstreamConcatDataset):
    """One data set after another; the metainfo is the first one's.

    Their classes must be the same, in the same order: label values have one meaning. What else
    differs (colours, suffixes, label maps) each sample brings along, or the first decides.

    Args:
        datasets: At least one.
        lazy_init: Whether to list files only when they are needed.
        ignore_keys: Metainfo that may differ; 'classes' allows other classes.

    Raises:
        ConfigError: There is none, or classes differ.
    """

    def __init__(self, datasets: Sequence, lazy_init: bool = False,
                 ignore_keys: str | list[str] | None = None) -> None:
        if not datasets:
            raise ConfigError('ConcatDataset has no data set.', culprit='datasets')
        self.datasets = [_made(dataset, self._place(i)) for i, dataset in enumerate(datasets)]
        self.ignore_keys = [ignore_keys] if isinstance(ignore_keys, str) else ignore_keys or []
        self._metainfo = self.datasets[0].metainfo
        if 'classes' not in self.ignore_keys:
            self._check_classes()
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @staticmethod
    def _place(index: int) -> str:
        return f'datasets[{index}] of ConcatDataset'

    def _check_classes(self) -> None:
        first = self._metainfo.get('classes') or ()
        for i, dataset in enumerate(self.datasets[1:], 1):
            other = dataset.metainfo.get('classes') or ()
            if tuple(other) != tuple(first):
                at = next((k for k, (a, b) in enumerate(zip(first, other, strict=False))
                           if a != b), min(len(first), len(other)))
                raise ConfigError(
                    f'The classes of {self._place(i)} ({type(dataset).__name__}) are not those of '
                    f'datasets[0] ({type(self.datasets[0]).__name__}).', culprit='datasets',
                    got=f'{len(other)} classes, from class {at} on {list(other[at:at + 3])}',
                    expected=f'{len(first)} classes, from class {at} on {list(first[at:at + 3])}',
                    fix='give each metainfo=dict(classes=...) of classes that all have')

    def full_init(self) -> None:
        """List the files of each, in order."""
        for i, dataset in enumerate(self.datasets):
            with _naming(self._place(i)):
                dataset.full_init()
        super().full_init()

    def __getitem__(self, idx: int):
        self.full_init()
        return super().__getitem__(idx)

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes in the label of sample ``idx``."""
        dataset, sample = self._get_ori_dataset_idx(idx)
        return self.datasets[dataset].get_cat_ids(sample)


class _Wrapper:
    """One inner data set, whose samples are chosen by `_inner_index`; metainfo is its own."""

    def __init__(self, dataset, lazy_init: bool) -> None:
        self.dataset = _made(dataset, self._place())
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    def _place(self) -> str:
        return f'the dataset of {type(self).__name__}'

    @property
    def metainfo(self) -> dict:
        """A copy of the inner data set's."""
        return copy.deepcopy(self.dataset.metainfo)

    def full_init(self) -> None:
        """List the inner data set's files and settle the length."""
        if not self._fully_initialized:
            with _naming(self._place()):
                self.dataset.full_init()
            self._length = self._settle_length()
            self._fully_initialized = True

    def _settle_length(self) -> int:
        return len(self.dataset)

    def _inner_index(self, idx: int) -> int:
        """Where sample ``idx`` stands in the inner data set; IndexError beyond the end."""
        length = len(self)
        if not -length <= idx < length:
            raise IndexError(f'{type(self).__name__} has {length} samples, and none {idx}')
        return idx % length

    def __len__(self) -> int:
        self.full_init()
        return self._length

    def __getitem__(self, idx: int):
        return self.dataset[self._inner_index(idx)]

    def get_data_info(self, idx: int) -> dict:
        """What the inner data set knows of sample ``idx`` before the pipeline."""
        return self.dataset.get_data_info(self._inner_index(idx))

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes in the label of sample ``idx``."""
        return self.dataset.get_cat_ids(self._inner_index(idx))


@DATASETS.register_module()
class RepeatDataset(_Wrapper):
    """A data set several times over: longer epochs, each repetition with draws of its own.

    Args:
        dataset: The data set.
        times: How often, at least once.
        lazy_init: Whether to list files only when they are needed.
    """

    def __init__(self, dataset, times: int, lazy_init: bool = False) -> None:
        if not isinstance(times, int) or times < 1:
            raise ConfigError('RepeatDataset repeats a whole number of times.', got=times,
                              expected='1 or more', culprit='times')
        self.times = times
        super().__init__(dataset, lazy_init)

    def _settle_length(self) -> int:
        return self.times * len(self.dataset)

    def _inner_index(self, idx: int) -> int:
        return super()._inner_index(idx) % len(self.dataset)


def repeat_factors(class_lists: Sequence[Sequence[int]], threshold: float) -> list[float]:
    """How often each image is to be seen, by its rarest class (Gupta et al., CVPR 2019, LVIS).

    r(c) = max(1, sqrt(threshold / f(c))) with f(c) the share of images that have class c;
    an image's factor is the largest of its classes, 1 where it has none.

    Args:
        class_lists: The classes in each image, none twice.
        threshold: Share of the images, in (0, 1], below which a class is rare.
    """
    counts = Counter(c for classes in class_lists for c in classes)
    factor = {c: max(1.0, math.sqrt(threshold * len(class_lists) / n)) for c, n in counts.items()}
    return [max((factor[c] for c in classes), default=1.0) for classes in class_lists]


@DATASETS.register_module()
class ClassBalancedDataset(_Wrapper):
    """Images with rare classes several times: each as often as its `repeat_factors`, rounded up.

    The labels are read once to find the classes; they are kept for the next run.

    Args:
        dataset: The data set.
        oversample_thr: Share of the images, in (0, 1], below which a class is rare.
        lazy_init: Whether to read files only when they are needed.
    """

    def __init__(self, dataset, oversample_thr: float, lazy_init: bool = False) -> None:
        if not 0 < oversample_thr <= 1:
            raise ConfigError('ClassBalancedDataset has no such threshold.', got=oversample_thr,
                              expected='a share of the images above 0, at most 1',
                              culprit='oversample_thr')
        self.oversample_thr = oversample_thr
        super().__init__(dataset, lazy_init)

    def _settle_length(self) -> int:
        with _naming(self._place()):
            factors = repeat_factors(class_ids.of_all(self.dataset), self.oversample_thr)
        self.repeat_indices = [i for i, factor in enumerate(factors)
                               for _ in range(math.ceil(factor))]
        return len(self.repeat_indices)

    def _inner_index(self, idx: int) -> int:
        return self.repeat_indices[super()._inner_index(idx)]


@DATASETS.register_module()
class MultiImageMixDataset(_Wrapper):
    """Samples made of several: a transform such as RandomMosaic says which others it needs.

    A transform with ``get_indices(dataset)`` finds those samples, each through the inner
    pipeline, in ``mix_results``. All draws come from the sample's own stream, so that a mix
    depends on (seed, epoch, index) alone.

    Args:
        dataset: The data set; its pipeline ends before packing.
        pipeline: Configs of the transforms that follow, packing included.
        skip_type_keys: Types of this pipeline to leave out.
        lazy_init: Whether to list files only when they are needed.
    """

    def __init__(self, dataset, pipeline: Sequence[dict],
                 skip_type_keys: Sequence[str] | None = None, lazy_init: bool = False) -> None:
        if not all(isinstance(step, dict) and 'type' in step for step in pipeline):
            raise ConfigError("MultiImageMixDataset's pipeline is made of configs.", got=pipeline,
                              expected='dicts with a type', culprit='pipeline')
        self.pipeline_types = [step['type'] for step in pipeline]
        with own_scope():
            self.pipeline = [TRANSFORMS.build(step) for step in pipeline]
        self.update_skip_type_keys(skip_type_keys or ())
        super().__init__(dataset, lazy_init)

    def update_skip_type_keys(self, skip_type_keys: Sequence[str]) -> None:
        """Leave out these types from now on, where the data set is not copied to workers yet."""
        if isinstance(skip_type_keys, str) or not all(isinstance(k, str) for k in skip_type_keys):
            raise ConfigError('skip_type_keys is a list of names.', got=repr(skip_type_keys),
                              culprit='skip_type_keys')
        self._skip_type_keys = tuple(skip_type_keys)

    def __getitem__(self, idx: int) -> dict:
        results = super().__getitem__(idx)
        for transform, kind in zip(self.pipeline, self.pipeline_types, strict=True):
            if kind in self._skip_type_keys:
                continue
            if hasattr(transform, 'get_indices'):
                others = transform.get_indices(self.dataset)
                others = others if isinstance(others, Sequence) else [others]
                results['mix_results'] = [self.dataset[int(i)] for i in others]
            results = transform(results)
            if results is None:
                raise DataError(f'{kind} gave None for sample {idx}.',
                                fix='mend the transform; samples are not replaced')
            results.pop('mix_results', None)
        return results
