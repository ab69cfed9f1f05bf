# The tree of a mini city on disk: the folders, names and files of Cityscapes, so that every tool
# for the real data set reads it. A file of parameters in the root says which city it is; nothing
# that exists is ever written over.

import contextlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from segplug.datasets.minicity.labels import LABELS, colour_table, train_id_table
from segplug.datasets.minicity.render import render_frame
from segplug.errors import DataError

PARAMETERS_FILE = 'minicity.json'
VERSION = 1  # of the pixels: another number is another city
MAX_SEED = 2**31 - 1
_SMALLEST, _LARGEST = (64, 32), (4096, 2048)
_FRAME = 19  # the labelled frame of each official sequence
_CITIES = {
    'train': ('altenfels', 'falkenried', 'moosheim', 'steinwerder'),
    'val': ('hohensee', 'lerchenau', 'seeburg'),
    'test': ('brunnfeld', 'talwiesen', 'weidenort'),
}
_LABEL_FILES = ('labelIds', 'labelTrainIds', 'instanceIds', 'color')


def make_minicity(root, *, train, val, test, size=(256, 128), seed=0, progress=True, processes=1):
    """Write a mini Cityscapes: made-up street scenes in the real data set's tree and formats.

    As in the official release, the label files of the test split tell nothing: everything but the
    car itself and the frame's border is 'unlabeled' there, and every training id is 255. A split's
    first n frames are the same for any number of them, and a frame shows the same scene at any
    size. A tree that a stopped run left half done is completed.

    Args:
        root: Folder to make or to complete.
        train, val, test: Number of frames of each split, at least 0.
        size: (width, height) in pixels, from (64, 32) to (4096, 2048).
        seed: Which city, from 0 to 2**31 - 1.
        progress: Whether to print how far it is.
        processes: How many processes draw; the pixels do not depend on it. Above 1, a script needs
            its `__main__` guard.

    Returns:
        The root as a Path.

    Raises:
        DataError: The arguments are out of range, or the root holds another data set or a city of
            other parameters.
    """
    root, counts = Path(root), {'train': train, 'val': val, 'test': test}
    _check_arguments(counts, size, seed, processes)
    _claim(root, {'version': VERSION, **counts, 'size': list(size), 'seed': seed})
    jobs = [(split, index) for split, count in counts.items() for index in range(count)]
    missing = [
        job for job in jobs if not all(path.exists() for path in frame_paths(root, *job).values())
    ]
    draw = partial(_write_frame, root, tuple(size), seed)
    for done, _ in enumerate(_run(draw, missing, processes), start=1):
        if progress:
            print(
                f'\rmini city: {done} of {len(missing)} frames',
                end='' if done < len(missing) else '\n',
                flush=True,
            )
    if progress and not missing:
        print(f'mini city: {len(jobs)} frames are there already in {root}')
    return root


def frame_paths(root, split, index):
    """The files of a frame: 'image' and the four label files, as {name: Path}."""
    cities = _CITIES[split]
    city = cities[index % len(cities)]
    stem = f'{city}_{index // len(cities):06d}_{_FRAME:06d}'
    paths = {'image': Path(root, 'leftImg8bit', split, city, f'{stem}_leftImg8bit.png')}
    for name in _LABEL_FILES:
        paths[name] = Path(root, 'gtFine', split, city, f'{stem}_gtFine_{name}.png')
    return paths


def _check_arguments(counts, size, seed, processes):
    for split, count in counts.items():
        if count < 0:
            raise DataError(
                f'The number of {split} frames is negative.', got=count, expected='0 or more'
            )
    if not all(low <= n <= high for low, n, high in zip(_SMALLEST, size, _LARGEST, strict=True)):
        raise DataError(
            'The size of a mini city is out of range.',
            got='{}x{}'.format(*size),
            expected='{}x{} to {}x{}, width first'.format(*_SMALLEST, *_LARGEST),
        )
    if not 0 <= seed <= MAX_SEED:
        raise DataError(
            'The seed of a mini city is out of range.', got=seed, expected=f'0 to {MAX_SEED}'
        )
    if processes < 1:
        raise DataError(
            'A mini city needs a process to draw it.', got=processes, expected='1 or more'
        )


def _claim(root, parameters):
    # the file of parameters is written first, so that a run that was stopped can be completed and
    # nothing else be mistaken
    path = root / PARAMETERS_FILE
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding='utf-8'))
        except ValueError:
            found = 'a file that is not JSON'
        if found != parameters:
            raise DataError(
                f'{root} holds a mini city of other parameters.',
                got=found,
                expected=parameters,
                fix='choose another folder, or remove this one if it is not needed',
            )
        return
    taken = [name for name in ('leftImg8bit', 'gtFine') if (root / name).exists()]
    if taken:
        raise DataError(
            f'{root} holds a data set that is not a mini city.',
            got=', '.join(taken),
            expected=f'a new folder, or one with {PARAMETERS_FILE}',
            fix='choose another folder',
        )
    root.mkdir(parents=True, exist_ok=True)
    _write_whole(path, (json.dumps(parameters, indent=2) + '\n').encode())


def _run(draw, jobs, processes):
    if processes == 1 or len(jobs) < 2:
        yield from map(draw, jobs)
        return
    # 'spawn', since the caller may already run threads, which a forked child would lose in the
    # middle of a lock
    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=get_context('spawn')) as pool:
        yield from pool.map(draw, jobs, chunksize=max(1, min(16, len(jobs) // (4 * processes))))


def _write_frame(root, size, seed, job):
    image, label, instance = render_frame(seed, *job, size)
    if job[0] == 'test':
        label, instance = _without_labels(label)
    pictures = {
        'image': image[:, :, ::-1],
        'labelIds': label,
        'labelTrainIds': train_id_table()[label],
        'instanceIds': instance,
        'color': colour_table()[label][:, :, [2, 1, 0, 3]],
    }
    for name, path in frame_paths(root, *job).items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(
                path, cv2.imencode('.png', np.ascontiguousarray(pictures[name]))[1].tobytes()
            )


def _without_labels(label):
    known = (LABELS['ego vehicle'][0], LABELS['out of roi'][0])
    bare = np.where(np.isin(label, known), label, 0).astype(np.uint8)
    return bare, bare.astype(np.uint16)


def _write_whole(path, data):
    # under another name first: a file that is there is a whole file
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
