"""Which classes each sample has: read from the labels once, kept in a file, read again from there.

The file is found by what it was made from (each label's path, size and time, how values are
mapped and how the label is read), so a changed label or another choice of classes makes another
one.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from mmengine.logging import print_log

from ..errors import DataError
from ..ops.frames import Frame
from .transforms.loading import LoadAnnotations

_SILENCE = 10.0  # seconds between two lines about the progress
_THREADS = min(8, os.cpu_count() or 1)  # decoding releases the interpreter


def label_reader(dataset) -> Callable[[dict], dict]:
    """The transform of ``dataset``'s pipeline that reads the label; ours if it has none."""
    return next((t for t in dataset.pipeline.transforms if isinstance(t, LoadAnnotations)),
                LoadAnnotations())


def in_label(info: dict, read: Callable[[dict], dict], ignore_index: int) -> list[int]:
    """The values of a sample's label, sorted, ``ignore_index`` left out.

    Raises:
        DataError: The sample has no label, or it cannot be read.
    """
    results = read(dict(info))
    if 'gt_seg_map' not in results:
        raise DataError(f'{info.get("img_path")} has no label, so its classes are unknown.',
                        fix='give data_prefix a seg_map_path')
    label = results['gt_seg_map']
    label = label.array() if isinstance(label, Frame) else label
    present = np.flatnonzero(np.bincount(label.ravel()))
    return [int(value) for value in present if value != ignore_index]


def of_all(dataset) -> list[list[int]]:
    """The classes of each sample of ``dataset``, from the cache if they are there.

    Processes of one machine that ask at once wait for the first of them.

    Args:
        dataset: One with ``get_data_info`` and ``get_cat_ids``, wrapped or not.
    """
    path = cache_file(dataset)
    if path is None:
        return _read_all(dataset)
    with FileLock(path.with_suffix('.lock')):
        if path.is_file():
            with contextlib.suppress(ValueError):  # damaged: read anew
                return json.loads(path.read_text())
        found = _read_all(dataset)
        part = path.with_suffix('.part')
        part.write_text(json.dumps(found))
        part.replace(path)
    return found


def cache_dir() -> Path:
    """Below SEGPLUG_CACHE, else below the user's cache folder."""
    chosen = os.environ.get('SEGPLUG_CACHE')
    users = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache') / 'segplug'
    return (Path(chosen) if chosen else users).expanduser() / 'class_ids'


def cache_file(dataset) -> Path | None:
    """Where the classes of ``dataset`` are kept; None where nothing can tell or keep them."""
    digest = hashlib.sha256()
    try:
        for i in range(len(dataset)):
            info = dataset.get_data_info(i)
            stat = os.stat(info['seg_map_path'])
            digest.update(repr((
                os.path.abspath(info['seg_map_path']), stat.st_size, stat.st_mtime_ns,
                info.get('label_map'), info.get('reduce_zero_label'))).encode())
        for leaf in leaves(dataset):
            digest.update(repr((sorted(vars(label_reader(leaf)).items()),
                                leaf.ignore_index)).encode())
        folder = cache_dir()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, TypeError, KeyError, AttributeError):  # no local file, another kind of set
        return None
    return folder / f'{digest.hexdigest()[:32]}.json' if os.access(folder, os.W_OK) else None


def leaves(dataset) -> list:
    """The data sets inside wrappers."""
    inner = getattr(dataset, 'datasets', None) or getattr(dataset, 'dataset', None)
    if inner is None:
        return [dataset]
    return [leaf for item in (inner if isinstance(inner, list) else [inner])
            for leaf in leaves(item)]


def _read_all(dataset) -> list[list[int]]:
    total, found, said = len(dataset), [], time.monotonic()
    print_log(f'The classes in {total} labels are read, once for this data set.', 'current')
    with ThreadPoolExecutor(_THREADS) as pool:
        for ids in pool.map(dataset.get_cat_ids, range(total)):
            found.append(ids)
            if time.monotonic() - said > _SILENCE:
                said = time.monotonic()
                print_log(f'classes in labels: {len(found)}/{total} '
                          f'({100 * len(found) // total} %)', 'current', logging.INFO)
    return found
