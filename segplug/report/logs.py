"""Training curves of one run, from the logs it left: ours, mmsegmentation 1.x's and 0.x's.

One line of JSON each: a training line every so many iterations, a validation line now and then. A
run that was resumed has a dated folder for each start; they are joined by iteration, and where two
starts logged the same iterations the later one holds. A log is data of another process, which may
have been killed while it wrote, so every line is checked.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import DataError

# mmsegmentation 0.x logs its scores as fractions, all others in percent.
_SCORES = ('mIoU', 'mAcc', 'aAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall', 'IoU', 'Acc',
           'Dice', 'Fscore', 'Precision', 'Recall')
# What a training line and a validation line both have, and mean different things by.
SHARED = ('time', 'data_time', 'memory', 'lr')
_PLACES = ('iter', 'step', 'epoch', 'mode')


@dataclass(frozen=True)
class Curve:
    """One logged quantity.

    Attributes:
        x: (P,) float64, iterations, rising.
        y: (P,) float64; nan where the log says so.
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class RunLog:
    """What the logs of a run hold.

    Attributes:
        path: As it was given.
        curves: By name: as logged ('loss', 'decode.acc_seg', 'lr', 'mIoU', 'val/loss'); what a
            validation line says of time and memory is 'val/time' and so on.
        starts: The first logged iteration of each start of the run, in the order of time.
        files: One log for each start.
        notes: What was passed over, in sentences.
    """

    path: str
    curves: dict[str, Curve]
    starts: tuple[int, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Start:
    """The points of one file: name -> {iteration: value}; and the iterations of training."""

    points: dict[str, dict[int, float]] = field(default_factory=dict)
    trained: set[int] = field(default_factory=set)

    def first(self) -> int | None:
        """The first iteration of training; None where only validations are."""
        return min(self.trained, default=None)


def read_run(path: str | Path) -> RunLog:
    """The curves of a run.

    Args:
        path: A work directory, one dated folder of it, its vis_data, or a log file.

    Raises:
        DataError: There is no log, it holds no value, or a line is none; the sentence names the
            file and the line.
    """
    files = log_files(Path(path))
    rows, notes = zip(*map(_read, files), strict=True)
    length = _epoch_length(rows)
    starts = [_placed(of_file, length) for of_file in rows]
    kept = [(file, start) for file, start in zip(files, starts, strict=True) if start.points]
    if not kept:
        raise DataError(f'The log {files[0]} holds no value.' if len(files) == 1 else
                        f'The {len(files)} logs of {path} hold no value.',
                        expected='lines with numbers, as {"loss": 0.5, "step": 50}',
                        fix='train on until a line is logged (default_hooks.logger.interval)')
    joined: dict[str, dict[int, float]] = {}
    for _, start in kept:
        _join(joined, start)
    curves = {name: Curve(*np.array(sorted(points.items()), dtype=np.float64).T)
              for name, points in joined.items() if points}
    return RunLog(str(path), curves,
                  tuple(start.first() for _, start in kept if start.first() is not None),
                  tuple(file for file, _ in kept),
                  tuple(note for of_file in notes for note in of_file))


def log_files(path: Path) -> list[Path]:
    """The logs of a run, in the order in which they were begun; at least one.

    Raises:
        DataError: There is none.
    """
    if path.is_file():
        return [path]
    expected = ('a work directory of a training, with DATE_TIME/vis_data/scalars.json or '
                'DATE_TIME.log.json in it, or one such file')
    if not path.is_dir():
        raise DataError(f'There is no {path}.', expected=expected, fix='check the path')
    for pattern in ('scalars.json', 'vis_data/scalars.json', '*/vis_data/scalars.json',
                    '*.log.json', '*/*.log.json', '*/vis_data/*.json'):
        found = sorted(file for file in path.glob(pattern) if file.is_file())
        if found:
            return found
    raise DataError(f'{path} holds no log of a training.', got=_contents(path), expected=expected,
                    fix='give the work directory of the training')


def _contents(folder: Path) -> str:
    names = sorted(file.name for file in folder.iterdir())
    more = f' and {len(names) - 4} more' if len(names) > 4 else ''
    return ', '.join(names[:4]) + more if names else 'an empty folder'


def _join(joined: dict[str, dict[int, float]], start: _Start) -> None:
    """Add a later start: it replaces all that was logged from its first iteration on."""
    first = start.first()
    for points in joined.values():
        for x in [x for x in points if first is not None and x >= first]:
            del points[x]
    for name, points in start.points.items():
        joined.setdefault(name, {}).update(points)


def _read(file: Path) -> tuple[list[dict], list[str]]:
    """The lines of one log, and what was passed over."""
    try:
        lines = file.read_text(encoding='utf-8-sig', errors='strict').split('\n')
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{file} cannot be read.', got=error, expected='text in UTF-8') from error
    numbers = [number for number, line in enumerate(lines, 1) if line.strip()]
    rows, notes = [], []
    for number in numbers:
        line = lines[number - 1]
        row = _row(line)
        if row is not None:
            rows.append(row)
        elif number == numbers[-1] and line.strip('\0')[:1] in ('{', ''):
            notes.append(f'{file}:{number} was cut off and is passed over')
        else:
            raise DataError(f'{file}:{number} is no line of a log.', got=_begin(line),
                            expected='one JSON object, as {"loss": 0.5, "step": 50}',
                            fix='remove the line, or give another log')
    return rows, notes


def _row(line: str) -> dict | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _begin(line: str) -> str:
    return repr(line[:60]) + (' ...' if len(line) > 60 else '')


def _epoch_length(files: Iterable[list[dict]]) -> int:
    """How many iterations an epoch has, as far as they were logged, where the lines of training
    count them from 1 in each epoch; 0 where they count through.

    mmsegmentation 0.x counts so in trainings by epoch, and says nothing of it.
    """
    resets, longest = False, 0
    for rows in files:
        before = 0
        for row in rows:
            place = _whole(row.get('iter'))
            if row.get('mode') == 'train' and place is not None and 'epoch' in row:
                resets |= place <= before
                before, longest = place, max(longest, place)
    return longest if resets else 0


def _placed(rows: Iterable[dict], epoch_length: int) -> _Start:
    """The points of the lines of one file.

    A line of training says where it stands. One of validation may count epochs, batches, or
    nothing (0): then it stands where the last line of training did.
    """
    start, last = _Start(), 0
    for row in rows:
        is_old = 'mode' in row
        is_training = row['mode'] == 'train' if is_old else bool({'iter', 'lr', 'loss'} & set(row))
        step = _whole(row.get('step'))
        if is_training:
            place = _whole(row.get('iter')) if step is None else step
            if place is None:
                continue
            if is_old and epoch_length:
                place += (max(_whole(row.get('epoch')) or 1, 1) - 1) * epoch_length
            last = place
            start.trained.add(place)
        elif not is_old and step is None:
            continue  # of no place, as the first line of 0.x, which tells of the machine
        _add(start, row, last if is_training or is_old else max(step, last), is_training)
    return start


def _whole(value) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and abs(value) < 2**53 else None  # neither nan nor infinite


def _add(start: _Start, row: dict, place: int, is_training: bool) -> None:
    """The numbers of a line; texts are left."""
    for key, value in row.items():
        if key in _PLACES or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        scale = 100 if 'mode' in row and key.partition('.')[0] in _SCORES else 1
        if not is_training and key in SHARED:
            key = f'val/{key}'
        start.points.setdefault(key, {})[place] = scale * _real(value)


def _real(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.nan
