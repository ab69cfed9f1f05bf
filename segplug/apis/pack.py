"""Write the data sets of a config into a packed form (`segplug.datasets.packed`), or check one.

Files are decoded on several threads and written in order by one, so the same config gives the same
files, and a run that was interrupted goes on where it stopped.
"""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.registry import DefaultScope

from ..datasets.packed import Writer, num_bytes, relative, verify
from ..datasets.packed_tree import TEXT
from ..datasets.transforms import LoadAnnotations, LoadImageFromFile
from ..errors import ConfigError, DataError
from ..registry import DATASETS
from .config import load_config

SPLITS = ('train', 'val', 'test')


class Job(NamedTuple):
    """One file: ``kind`` 'image', 'label' or 'text', its name in the packed form, what loads it."""

    kind: str
    name: str
    path: str
    info: dict
    loader: LoadImageFromFile | LoadAnnotations | None

    @property
    def settings(self) -> str:
        """With which it is loaded."""
        return '' if self.loader is None else self.loader.packed_settings

    def load(self) -> np.ndarray:
        """The array as the pipeline would have it, labels before any map."""
        info = dict(self.info)
        if self.kind == 'image':
            return self.loader.transform(info)['img']
        if self.kind == 'label':
            return self.loader.values(info)
        return np.fromfile(self.path, np.uint8)[None]


def pack(config: str | os.PathLike, out: str | os.PathLike, *, splits=SPLITS,
         options: Mapping | None = None, data_root: str | None = None,
         num_threads: int | None = None) -> dict:
    """Write every image and label that the config's data sets name.

    Args:
        config: A config file or a shipped config's name.
        out: Folder of the packed form; what it holds already and has not changed stays.
        splits: Whose dataloaders are looked at, some of 'train', 'val' and 'test'.
        options, data_root: As in `load_config`.
        num_threads: That decode; None takes one per core.

    Returns:
        written, kept (number of arrays), bytes (of all arrays), folder.

    Raises:
        ConfigError: The config has no data set, or one that is not read by our loaders.
        DataError: A file cannot be used, or ``out`` holds something else.
    """
    cfg = load_config(config, options=dict(options or {}), data_root=data_root)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        jobs = _jobs(cfg, splits)
    with Writer(out) as writer:
        fresh = [job for job in jobs if not writer.has(
            job.kind, job.name, job.settings, job.path)]
        for job, pixels in _loaded(fresh, num_threads or os.cpu_count() or 1):
            writer.add(job.kind, job.name, job.settings, job.path, pixels)
        total = sum(num_bytes(writer.present[job.kind, job.name]) for job in jobs)
    return dict(written=len(fresh), kept=len(jobs) - len(fresh), bytes=total,
                folder=str(Path(out)))


def broken(folder: str | os.PathLike) -> list[str]:
    """Names of the arrays of a packed form whose bytes are not those that were written."""
    return [entry['name'] for entry, is_good in verify(folder) if not is_good]


def _jobs(cfg, splits) -> list[Job]:
    """Every file once, in the order of the data sets."""
    jobs: dict[tuple[str, str], Job] = {}
    found = [cfg.get(f'{split}_dataloader') for split in splits]
    for loader in filter(None, found):
        for dataset in _leaves(DATASETS.build(loader['dataset'])):
            for job in _of(dataset):
                other = jobs.setdefault((job.kind, job.name), job)
                if os.path.abspath(other.path) != os.path.abspath(job.path):
                    raise DataError(f'{job.path} and {other.path} have one name, {job.name}, below '
                                    'their data roots.',
                                    fix='pack one data set at a time, and give each its own '
                                        "packed='DIR' in the config")
                if other.settings != job.settings:
                    raise ConfigError(f'{job.path} is loaded in two ways.',
                                      got=f'{other.loader} and {job.loader}',
                                      fix='pack one split at a time, into two folders')
    if not jobs:
        raise ConfigError('The config has no data set to pack.',
                          got=f'dataloaders of {", ".join(splits)}')
    return list(jobs.values())


def _leaves(dataset) -> Iterator:
    """The data sets that files belong to, below any wrappers."""
    inner = getattr(dataset, 'datasets', None) or \
        ([dataset.dataset] if hasattr(dataset, 'dataset') else [])
    if not inner:
        yield dataset
    for one in inner:
        yield from _leaves(one)


def _of(dataset) -> Iterator[Job]:
    image, label = (_loader(dataset, kind) for kind in (LoadImageFromFile, LoadAnnotations))
    if os.path.isfile(dataset.ann_file) and os.path.getsize(dataset.ann_file):
        yield Job(TEXT, relative(dataset.ann_file, dataset.data_root), dataset.ann_file, {}, None)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        info.pop('packed', None)
        for kind, loader, path in (('image', image, info['img_path']),
                                   ('label', label, info.get('seg_map_path'))):
            if loader is not None and path is not None:
                yield Job(kind, relative(path, dataset.data_root), path, info, loader)


def _loader(dataset, kind: type):
    """The one transform of the pipeline that is of ``kind``, or None."""
    found = [t for t in dataset.pipeline.transforms if type(t) is kind]
    if not found and kind is LoadImageFromFile:
        raise ConfigError(f'{type(dataset).__name__} is not read by LoadImageFromFile.',
                          got=', '.join(type(t).__name__ for t in dataset.pipeline.transforms),
                          fix='only what LoadImageFromFile and LoadAnnotations read can be packed')
    return found[0] if found else None


def _loaded(jobs: list[Job], num_threads: int) -> Iterator[tuple[Job, np.ndarray]]:
    """Each job with its array, in order, some threads ahead; shows how far it is."""
    from mmengine.logging import MMLogger

    from ..engine.progress import Progress
    waiting: deque = deque()
    rest = iter(jobs)
    with ThreadPoolExecutor(num_threads) as pool, \
            Progress('pack', len(jobs), MMLogger.get_current_instance()) as progress:
        try:
            for done in range(len(jobs)):
                while len(waiting) < 2 * num_threads and (job := next(rest, None)) is not None:
                    waiting.append((job, pool.submit(job.load)))
                job, future = waiting.popleft()
                yield job, future.result()
                progress.reach(done + 1)
        finally:
            for _, future in waiting:
                future.cancel()
