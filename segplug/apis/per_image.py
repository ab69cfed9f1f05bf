"""Read the counts that ``segplug test --out`` leaves in per_image.csv, and match those of two runs.

The file may have been edited, cut off or be of another program, so every cell is checked.
Letters: I images, K classes.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError

FILE = 'per_image.csv'
COUNTS = ('tp', 'fp', 'fn')
AGAIN = 'run segplug test with --out once more'


@dataclass(frozen=True)
class ImageCounts:
    """What a run got right and wrong.

    Attributes:
        folder: Where it was read from.
        files: I names.
        classes: K names.
        counts: (I, 3, K) int64: true positives, false positives, false negatives.
    """

    folder: Path
    files: tuple[str, ...]
    classes: tuple[str, ...]
    counts: np.ndarray


def read_counts(folder: str | Path) -> ImageCounts:
    """The counts of a folder of ``segplug test --out``, in the order of their names.

    Raises:
        DataError: There is no such file, or it is not what a test writes; the sentence names
            the line and the column.
    """
    path = _existing(Path(folder))
    try:
        # utf-8-sig: spreadsheets put a mark in front.
        with open(path, encoding='utf-8-sig', errors='surrogateescape', newline='') as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
        ''.join(rows[0] if rows else ()).encode()  # names of images alone may be no UTF-8
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f'{path} cannot be read.', got=error, expected='CSV text in UTF-8',
                        fix=AGAIN) from error
    if len(rows) < 2:
        raise DataError(f'{path} holds no image.', expected='a line of names, and one per image',
                        fix=AGAIN)
    classes, columns = _header(rows[0], path)
    place = rows[0].index('file')
    body = sorted(enumerate(rows[1:], start=2), key=lambda item: item[1][place:place + 1])
    counts = np.array([_numbers(row, number, rows[0], columns, path) for number, row in body])
    files = tuple(row[place] for _, row in body)
    twice = [name for name, count in Counter(files).items() if count > 1]
    if twice:
        raise DataError(f'{path} holds {_some(twice)} more than once.',
                        expected='one line per image', fix=AGAIN)
    return ImageCounts(Path(folder), files, classes,
                       counts.reshape(len(files), len(COUNTS), len(classes)))


def match(a: ImageCounts, b: ImageCounts) -> ImageCounts:
    """``b`` with its classes in the order of ``a``, once it is sure that both took one test.

    Raises:
        DataError: Other classes, other images, or other labels.
    """
    _same_names(a, b, a.classes, b.classes, 'classes')
    _same_names(a, b, a.files, b.files, 'images')
    order = [b.classes.index(name) for name in a.classes]
    counts = b.counts[:, :, order]
    # Of a label, tp + fn pixels are of the class, whatever was predicted.
    labels_a, labels_b = (c[:, 0] + c[:, 2] for c in (a.counts, counts))
    wrong = np.argwhere(labels_a != labels_b)
    if len(wrong):
        i, k = wrong[0]
        raise DataError(
            f'The labels of {len(set(wrong[:, 0]))} of {len(a.files)} images differ between '
            f'{a.folder} and {b.folder}: their scores are not of one test.',
            got=f'{labels_a[i, k]} and {labels_b[i, k]} labelled pixels of {a.classes[k]} in '
                f'{a.files[i]}',
            expected='the same labels, at the same size, with the same ignored pixels',
            fix='test both on one data set')
    return ImageCounts(b.folder, b.files, a.classes, counts)


def _existing(folder: Path) -> Path:
    expected = f'a folder that segplug test --out has written, with {FILE} in it'
    if folder.is_file():
        raise DataError(f'{folder} is a file.', expected=expected, fix='give its folder')
    if not folder.is_dir():
        raise DataError(f'There is no folder {folder}.', expected=expected,
                        fix='check the path, or ' + AGAIN)
    if not (folder / FILE).is_file():
        raise DataError(f'{folder} holds no {FILE}.', expected=expected,
                        fix=AGAIN + ', and without --format-only, which scores nothing')
    return folder / FILE


def _header(names: list[str], path: Path) -> tuple[tuple[str, ...], list[int]]:
    """The classes, and where the columns of all tp, then all fp, then all fn stand."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f'{path} holds the column {_some(twice)} more than once.', fix=AGAIN)
    classes = tuple(n.removeprefix('tp.') for n in names if n.startswith('tp.'))
    if not classes:
        raise DataError(f'{path} holds no counts.', got=f'the columns {_some(names)}',
                        expected='file, and tp, fp and fn of each class',
                        fix=AGAIN + ', and without --format-only, which scores nothing')
    wanted = [f'{key}.{name}' for key in COUNTS for name in classes]
    missing = [name for name in ['file', *wanted] if name not in names]
    extra = [n for n in names if n.startswith(('fp.', 'fn.')) and n not in wanted]
    if missing or extra:
        raise DataError(f'{path} lacks the column {_some(missing or ["tp." + extra[0][3:]])}.',
                        fix=AGAIN)
    place = {name: i for i, name in enumerate(names)}
    return classes, [place[name] for name in wanted]


def _numbers(row: list[str], line: int, names: list[str], columns: list[int],
             path: Path) -> list[int]:
    """The counts of a line; 18 digits are what int64 holds for sure."""
    if len(row) != len(names):
        raise DataError(f'Line {line} of {path} is broken.', got=f'{len(row)} values',
                        expected=f'{len(names)}', fix=AGAIN)
    for column in columns:
        cell = row[column]
        if not (cell.isascii() and cell.isdigit() and len(cell) <= 18):
            raise DataError(f'Line {line} of {path} is broken: {names[column]} is no count.',
                            got=repr(cell), expected='a number of pixels', fix=AGAIN)
    return [int(row[column]) for column in columns]


def _same_names(a: ImageCounts, b: ImageCounts, names_a: Iterable[str], names_b: Iterable[str],
                what: str) -> None:
    only_a, only_b = sorted(set(names_a) - set(names_b)), sorted(set(names_b) - set(names_a))
    if only_a or only_b:
        got = '; '.join(f'only in {run.folder}: {_some(only)}'
                        for run, only in ((a, only_a), (b, only_b)) if only)
        raise DataError(f'The two runs are of different {what}.', got=got,
                        expected=f'the same {what} in both', fix='test both on one data set')


def _some(names: list[str]) -> str:
    """The first three of the names, and how many there are."""
    return ', '.join(names[:3]) + (f' and {len(names) - 3} more' if len(names) > 3 else '')
