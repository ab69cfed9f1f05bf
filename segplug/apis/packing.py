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

from ..datasets.class_ids import leaves
from ..datasets.packed import Writer, num_bytes, relative, verify
from ..datasets.packed_tree import TEXT
from ..datasets.transforms import LoadAnnotations, LoadImageFromFile
from ..errors import ConfigError, DataError
from ..registry import DATASETS
from .config import load_config
from .results import Shown

SPLITS = ('train', 'val', 'test')


class File(NamedTuple):
    """What is written: ``kind`` 'image', 'label' or 'text', its name, where it comes from."""

    kind: str
    name: str
    path: str
    settings: str = ''


class Job(NamedTuple):
    """Files that are read together, a label after its image, which it must fit."""

    files: tuple[File, ...]
    info: dict = {}
    image: LoadImageFromFile | None = None
    label: LoadAnnotations | None = None

    def load(self) -> list[np.ndarray]:
        """Each file as the pipeline would have it, labels before any map."""
        if self.image is None:
            return [np.fromfile(file.path, np.uint8)[None] for file in self.files]
        results = self.image.transform(dict(self.info))
        return [results['img'] if file.kind == 'image' else self.label.values(results)
                for file in self.files]


class PackResult(Shown, dict):
    """``written`` and ``kept`` (numbers of arrays), ``bytes`` (of all arrays), ``folder``."""

    def __str__(self) -> str:
        return (f'{self["folder"]}: {self["written"]} arrays written, {self["kept"]} were there, '
                f'{self["bytes"] / 1e9:.2f} GB. Read them with --packed {self["folder"]}')


def pack(config: str | os.PathLike, out: str | os.PathLike, *, splits=SPLITS,
         options: Mapping | None = None, data_root: str | None = None,
         num_threads: int | None = None) -> PackResult:
    """Write every image and label that the config's data sets name.

    Args:
        config: A config file or a shipped config's name.
        out: Folder of the packed form; what it holds already and has not changed stays.
        splits: Whose dataloaders are looked at, some of 'train', 'val' and 'test'.
        options, data_root: As in `load_config`.
        num_threads: That decode; None takes one per core.

    Returns:
        What was written, a dict.

    Raises:
        ConfigError: The config has no data set, or one that is not read by our loaders.
        DataError: A file cannot be used, or ``out`` holds something else.
    """
    cfg = load_config(config, options=dict(options or {}), data_root=data_root)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        jobs = jobs_of(cfg, splits)
    files = list(dict.fromkeys(file for job in jobs for file in job.files))
    with Writer(out) as writer:
        there = sum(writer.has(*file) for file in files)
        fresh = [job for job in jobs if not all(writer.has(*file) for file in job.files)]
        for job, arrays in _loaded(fresh, num_threads or os.cpu_count() or 1):
            for file, pixels in zip(job.files, arrays, strict=True):
                if not writer.has(*file):
                    writer.add(*file, pixels)
        total = sum(num_bytes(writer.present[file.kind, file.name]) for file in files)
    return PackResult(written=len(files) - there, kept=there, bytes=total,
                      folder=str(Path(out)))


def broken(folder: str | os.PathLike) -> list[str]:
    """Names of the arrays of a packed form whose bytes are not those that were written."""
    return [entry['name'] for entry, is_good in verify(folder) if not is_good]


def jobs_of(cfg, splits) -> list[Job]:
    """Every sample once, in the order of the data sets."""
    jobs: dict[tuple[File, ...], Job] = {}
    known: dict[tuple[str, str], File] = {}
    found = [cfg.get(f'{split}_dataloader') for split in splits]
    for loader in filter(None, found):
        for dataset in leaves(DATASETS.build(loader['dataset'])):
            for job in _of(dataset):
                jobs.setdefault(job.files, job)
                for file in job.files:
                    _check_same(known.setdefault((file.kind, file.name), file), file)
    if not jobs:
        raise ConfigError('The config has no data set to pack.',
                          got=f'dataloaders of {", ".join(splits)}')
    return list(jobs.values())


def _check_same(file: File, other: File) -> None:
    """Refuse two files of one name."""
    if os.path.abspath(other.path) != os.path.abspath(file.path):
        raise DataError(f'{file.path} and {other.path} have one name, {file.name}, below their '
                        'data roots.', fix='pack one data set at a time, and give each its own '
                                           "packed='DIR' in the config")
    if other.settings != file.settings:
        raise ConfigError(f'{file.path} is loaded in two ways.',
                          got=f'{file.settings} and {other.settings}',
                          fix='pack one split at a time, into two folders')


def _of(dataset) -> Iterator[Job]:
    def file(kind: str, path: str, settings: str = '') -> File:
        return File(kind, relative(path, dataset.data_root), path, settings)

    image, label = (_loader(dataset, kind) for kind in (LoadImageFromFile, LoadAnnotations))
    if os.path.isfile(dataset.ann_file) and os.path.getsize(dataset.ann_file):
        yield Job((file(TEXT, dataset.ann_file),))
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        info.pop('packed', None)
        files = [file('image', info['img_path'], image.packed_settings)]
        if label is not None and info.get('seg_map_path') is not None:
            files.append(file('label', info['seg_map_path'], label.packed_settings))
        yield Job(tuple(files), info, image, label)


def _loader(dataset, kind: type):
    """The one transform of the pipeline that is of ``kind``, or None."""
    found = [t for t in dataset.pipeline.transforms if type(t) is kind]
    if not found and kind is LoadImageFromFile:
        raise ConfigError(f'{type(dataset).__name__} is not read by LoadImageFromFile.',
                          got=', '.join(type(t).__name__ for t in dataset.pipeline.transforms),
                          fix='only what LoadImageFromFile and LoadAnnotations read can be packed')
    return found[0] if found else None


def _loaded(jobs: list[Job], num_threads: int) -> Iterator[tuple[Job, list[np.ndarray]]]:
    """Each job with its arrays, in order, some threads ahead; shows how far it is."""
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
