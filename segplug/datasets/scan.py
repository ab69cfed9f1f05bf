"""Which image and label files a data set has, and one clear error when they do not fit.

Pure functions over folders. Labels are looked up in one listing of their folder, not by one
call per file, so that every missing label is known before training starts.
"""

import itertools
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmengine import fileio
from mmengine.logging import print_log

from ..errors import DataError

_SHOWN = 4  # names an error lists before it says how many there are


def list_files(folder: str, suffix: str = '', backend_args: dict | None = None) -> list[str]:
    """Files below ``folder`` that end in ``suffix``, as sorted names relative to it.

    A link to a folder that it lies in is passed over.

    Raises:
        DataError: A folder may not be read.
    """
    if not fileio.isdir(folder, backend_args=backend_args):
        return []
    if os.path.isdir(folder):
        return sorted(name for name in _files_below(folder) if name.endswith(suffix))
    return sorted(fileio.list_dir_or_file(folder, list_dir=False, suffix=suffix or None,
                                          recursive=True, backend_args=backend_args))


def _files_below(folder: str, prefix: str = '', above: tuple[str, ...] = ()) -> Iterator[str]:
    """Files of a local folder, as mmengine lists them: hidden files are left out."""
    real = os.path.realpath(folder)
    if any((folder_above + os.sep).startswith(real + os.sep) for folder_above in above):
        return
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        raise DataError(f'The folder {folder} cannot be read.', got=error.strerror,
                        fix='see to its rights') from error
    for entry in entries:
        if os.path.isdir(entry.path):
            yield from _files_below(entry.path, f'{prefix}{entry.name}{os.sep}', (*above, real))
        elif not entry.name.startswith('.') and os.path.isfile(entry.path):
            yield prefix + entry.name


def image_stems(folder: str, suffix: str, ann_file: str = '',
                backend_args: dict | None = None) -> list[str]:
    """Names of the images without their suffix, relative to ``folder``.

    Sorted; with ``ann_file`` (one name a line, with the suffix or without, empty lines skipped)
    in the order of that file.
    Files whose suffix differs in case only are not taken, and the log says so.
    """
    if ann_file and not fileio.isdir(ann_file, backend_args=backend_args):
        if not fileio.isfile(ann_file, backend_args=backend_args):
            raise DataError(f'The split file {ann_file} does not exist.', got=nearby(ann_file),
                            fix='correct ann_file, data_root or --data-root')
        try:
            text = fileio.get_text(ann_file, backend_args=backend_args)
        except UnicodeDecodeError as error:
            raise DataError(f'The split file {ann_file} is no UTF-8 text.', got=str(error),
                            expected='one image name a line') from error
        return [line.strip().removesuffix(suffix) for line in text.splitlines() if line.strip()]
    files = list_files(folder, '', backend_args)
    other = [f for f in files if f.lower().endswith(suffix.lower()) and not f.endswith(suffix)]
    if other:
        print_log(f'{len(other)} files below {folder} are left out because they end in '
                  f'{other[0][-len(suffix):]}, not {suffix}: {some(other)}', 'current',
                  logging.WARNING)
    return [name.removesuffix(suffix) for name in files if name.endswith(suffix)]


def missing(folder: str, names: list[str], backend_args: dict | None = None) -> list[str]:
    """Those of ``names`` that are no file of ``folder``."""
    present = set(list_files(folder, '', backend_args))
    return [n for n in names if n not in present
            and not fileio.isfile(os.path.join(folder, n), backend_args=backend_args)]


def report_outside(source: str, names: list[str], folder: str, root: str | None) -> None:
    """Warn of names in a list that lead out of the folder they belong to and of ``data_root``.

    Not an error: a list may name images wherever they lie. But one that somebody else wrote may
    name files that are none of the data.

    Args:
        source: The list, for the message.
        names: As the list has them, relative to ``folder`` or absolute.
        folder: Where they are looked for.
        root: ``data_root``; '' or None where there is none.
    """
    homes = [os.path.join(os.path.abspath(home), '') for home in (folder, root or folder)]
    outside = [name for name in names if '://' not in folder
               and not os.path.abspath(os.path.join(folder, name)).startswith(tuple(homes))]
    if outside:
        print_log(f'{source} names {len(outside)} files outside of {root or folder}: '
                  f'{some(outside)}', 'current', logging.WARNING)


def some(names: list[str]) -> str:
    """The first few names and how many there are in all."""
    more = f' ... ({len(names)} in all)' if len(names) > _SHOWN else ''
    return ', '.join(names[:_SHOWN]) + more


def nearby(path: str) -> str:
    """What a person finds on disk at ``path``, or at its nearest folder that exists."""
    if '://' in str(path):
        return f'nothing at {path}'
    folder = Path(path)
    while not os.path.isdir(folder):
        folder = folder.parent
    children = [c.name + '/' * os.path.isdir(c) for c in _children(folder)]
    # A folder further up may be the whole disk: it is not walked.
    files = list_files(str(folder)) if folder == Path(path) else []
    lead = '' if folder == Path(path) else f'{path} does not exist; the nearest folder '
    counts = Counter(_ending(f) for f in files)
    inside = f'{len(files)} files below it (' + ', '.join(
        f'{n} *{e}' for e, n in counts.most_common(_SHOWN)) + '), ' if files else ''
    return f'{lead}{folder} holds {inside}{some(children) or "nothing"}'


def better_suffixes(images: list[str], labels: list[str], given: tuple[str, str]
                    ) -> tuple[str, str, int] | None:
    """Ends of names that pair more images with labels than ``given``, and how many they pair.

    Tried are the most frequent end of either kind and its extension; of those that pair equally
    many the shortest are taken.

    Args:
        images, labels: Names relative to their folders.
        given: End of the images' names, and of the labels'.

    Returns:
        The two ends and the number of pairs, or None.
    """
    tried = [(_pairs(images, labels, ends), -len(''.join(ends)), *ends)
             for ends in itertools.product(_usual_ends(images), _usual_ends(labels))]
    pairs, _, image_end, label_end = max(tried, default=(0, 0, '', ''))
    return (image_end, label_end, pairs) if pairs > _pairs(images, labels, given) else None


def _pairs(images: list[str], labels: list[str], ends: tuple[str, str]) -> int:
    stems = [{name.removesuffix(end) for name in names if name.endswith(end)}
             for names, end in zip((images, labels), ends, strict=True)]
    return len(stems[0] & stems[1])


def _usual_ends(names: list[str]) -> set[str]:
    """The most frequent of `_ending`, and its extension."""
    if not names:
        return set()
    (end, _), = Counter(map(_ending, names)).most_common(1)
    return {end, os.path.splitext(end)[1]} - {''}


def _ending(name: str) -> str:
    """What tells kinds of files apart: '_gtFine_labelIds.png' or '.jpg'."""
    stem, ext = os.path.splitext(os.path.basename(name))
    parts = stem.split('_')
    words = []
    while len(parts) > 1 and not re.search(r'\d\d', parts[-1]):
        words.insert(0, parts.pop())
    return ''.join('_' + w for w in words) + ext


def other_root(root: str | None, prefix: str) -> str | None:
    """A folder next to, above or one level below ``root`` in which ``prefix`` exists."""
    if not root or not prefix or os.path.isabs(prefix) or '://' in root:
        return None
    base = Path(root)
    if os.path.isdir(base / prefix):
        return None
    for candidate in [*_children(base), base.parent, *_children(base.parent)]:
        if os.path.isdir(candidate / prefix):
            return str(candidate)
    return None


def _children(folder: Path) -> list[Path]:
    """Sorted entries of a folder; none where it does not exist or may not be read."""
    readable = os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)
    return sorted(folder.iterdir()) if readable else []
