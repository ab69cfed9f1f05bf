"""run.json beside the scores of a test: what was tested with what, so that a report can say so.

It is data: reading it imports and runs nothing. Time, number of processes and command are in it, so
two tests with the same scores have two of them; the scores' own files do not depend on it.
"""

import hashlib
import json
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.device import get_device

from ..engine.state import config_text, versions
from ..errors import DataError, OutputError
from ..evaluation import BoundaryIoUMetric, IoUMetric, boundary_metric
from ..evaluation.outputs import SCORE_FILES, atomic_write
from .score_values import Labelling

FILE = 'run.json'
_CHUNK = 1 << 22  # bytes
# What each entry is; None where a test cannot know it.
_TYPES = {
    'made_by': str, 'finished': str, 'command': str, 'config_file': str, 'config': dict,
    'checkpoint': dict, 'scales': list, 'flip': bool, 'level': (int, float), 'classes': list,
    'palette': list, 'ignore_index': int, 'folder': str, 'num_processes': int, 'device': str,
    'versions': dict, 'commits': dict, 'scores': dict, 'files': dict, 'file_values': dict}
# What stands inside of some.
_WITHIN = {
    'scales': lambda values: all(isinstance(v, int | float) and 0 < v < 1e6 for v in values),
    'checkpoint': lambda facts: all(isinstance(facts.get(key, ''), str | None)
                                    for key in ('file', 'sha256')),
    'config': lambda config: _is_dict(config, 'test_dataloader') and _is_dict(
        config.get('test_dataloader') or {}, 'dataset'),
    'files': lambda files: all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
        for pair in files.values())}


def write(out: str | os.PathLike, *, score_files: Sequence[str] = SCORE_FILES, **known) -> None:
    """Write run.json into the folder of a test, after its scores.

    Args:
        out: The folder.
        score_files: What the test has written there.
        known: The entries that are known, as plain values; time, folder, commits and the hashes of
            the scores are added.

    Raises:
        OutputError: The file cannot be written.
    """
    out = Path(out)
    record = {**known, 'finished': time.strftime('%Y-%m-%dT%H:%M:%S%z'), 'folder': os.getcwd(),
              'commits': _commits(),
              'scores': {name: sha256(out / name) for name in score_files
                         if (out / name).is_file()}}
    text = json.dumps(record, indent=1, ensure_ascii=False) + '\n'
    try:
        # What is no UTF-8 in a name of a file becomes an escape of JSON.
        atomic_write(out / FILE, text.encode('utf-8', 'backslashreplace'))
    except OSError as error:
        raise OutputError(f'{out / FILE} could not be written.', got=error.strerror or error,
                          fix='make room, or choose another --out') from error


def of_test(runner, config: str | os.PathLike, checkpoint: str | os.PathLike,
            command: Sequence[str] | None) -> dict:
    """What `write` takes, as a runner knows it when its test is over.

    Args:
        runner: `segplug.engine.runner.Runner`.
        config, checkpoint: As they were given.
        command: The words that were typed; None from Python.
    """
    tta = getattr(getattr(runner.model, 'module', runner.model), 'tta_cfg', None)
    metainfo = dict(runner.test_evaluator.dataset_meta or {})
    metric = next((m for m in runner.test_evaluator.metrics if isinstance(m, IoUMetric)), None)
    palette = metainfo.get('palette')
    return dict(
        score_files=score_files(runner.test_evaluator.metrics),
        made_by='segplug test', command=shlex.join(command) if command else None,
        config_file=str(config), config=json.loads(config_text(runner.cfg)),
        checkpoint=file_facts(checkpoint),
        scales=list(tta.scales) if tta else None, flip=bool(tta.flip) if tta else None,
        level=metric and metric.interval, ignore_index=metric and metric.ignore_index,
        classes=list(metainfo.get('classes') or ()),
        palette=_plain_colours(palette),
        num_processes=runner.world_size, device=_device(),
        versions=_versions())


def of_files(labelling: Labelling, pairs: Iterable, tables: Mapping[str, np.ndarray],
             metrics: Sequence, config: str | None, command: Sequence[str] | None) -> dict:
    """What `write` takes, as a score of files knows it.

    Args:
        labelling: What was scored.
        pairs: Each with ``name``, ``pred`` and ``label``.
        tables: For 'prediction' and 'label' (65536,) integer, file value -> class id or -1.
        metrics: That scored them.
        config, command: As they were given.
    """
    level = next(m.interval for m in metrics if isinstance(m, IoUMetric))
    palette = labelling.metainfo.get('palette')
    return dict(
        score_files=score_files(metrics),
        made_by='segplug score', command=shlex.join(command) if command else None,
        config_file=config, level=level, ignore_index=labelling.ignored,
        classes=list(labelling.metainfo['classes']),
        palette=_plain_colours(palette),
        files={pair.name: [str(pair.pred), str(pair.label)] for pair in pairs},
        file_values={kind: {str(value): int(table[value]) for value in np.flatnonzero(table >= 0)}
                     for kind, table in tables.items()}, versions=_versions())


def score_files(metrics: Iterable) -> list[str]:
    """The names of the files that metrics write beside predictions."""
    boundary = any(isinstance(metric, BoundaryIoUMetric) for metric in metrics)
    return [*SCORE_FILES, *([boundary_metric.FILE_NAME] if boundary else [])]


def _plain_colours(palette: Iterable | None) -> list[list[int]] | None:
    """Of a list or an array."""
    return None if palette is None else [[int(v) for v in colour] for colour in palette]


def _versions() -> dict[str, str]:
    return {'Python': platform.python_version(), **versions()}


def _device() -> str:
    kind = get_device()
    return torch.cuda.get_device_name() if kind == 'cuda' else kind.upper()


def read(out: str | os.PathLike) -> dict | None:
    """The run.json of a folder, every entry there, None where it is not known; None without one.

    Raises:
        DataError: It is damaged.
    """
    path = Path(out) / FILE
    if not path.is_file():
        return None
    fix = 'delete it, and the report does without; or run the test once more'
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path} cannot be read.', got=error, expected='JSON text, as segplug test '
                        'writes it', fix=fix) from error
    if not isinstance(found, dict):
        raise DataError(f'{path} is no record of a test.', got=type(found).__name__, fix=fix)
    for key, kind in _TYPES.items():
        value = found.get(key)
        if value is not None and not isinstance(value, kind):
            raise DataError(f'{path} is no record of a test: {key} is wrong.',
                            got=type(value).__name__, fix=fix)
    record = {key: found.get(key) for key in _TYPES}
    for key, is_sound in _WITHIN.items():
        if record[key] is not None and not is_sound(record[key]):
            raise DataError(f'{path} is no record of a test: {key} is wrong.',
                            got=str(record[key])[:80], fix=fix)
    return record


def _is_dict(config: Mapping, key: str) -> bool:
    return isinstance(config.get(key) or {}, dict)


def is_of_these_scores(record: Mapping, out: str | os.PathLike) -> bool:
    """Whether the score files are those that the record was written for."""
    return all(is_of_this_test(record, out, name) for name in SCORE_FILES
               if name in (record['scores'] or {}))


def is_of_this_test(record: Mapping, out: str | os.PathLike, name: str) -> bool:
    """Whether a file is the one that the record was written for."""
    digest, path = (record['scores'] or {}).get(name), Path(out) / name
    return digest is not None and path.is_file() and sha256(path) == digest


def file_facts(name: str | os.PathLike) -> dict:
    """A file's name, and its size and hash where it is on this machine."""
    path = Path(name).expanduser()
    facts = dict(file=str(name))
    if path.is_file():
        facts.update(bytes=path.stat().st_size, sha256=sha256(path))
    return facts


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _commits() -> dict[str, str]:
    """The commits of the working directory and of segplug, where they are git checkouts."""
    found = {'working directory': _commit(Path.cwd()), 'segplug': _commit(Path(__file__).parent)}
    return {name: commit for name, commit in found.items() if commit}


def _commit(folder: Path) -> str | None:
    """The commit that is checked out, with '-dirty' after it where tracked files differ."""
    try:
        done = subprocess.run(
            ['git', '-C', str(folder), 'describe', '--always', '--dirty', '--abbrev=40',
             '--exclude=*'], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
