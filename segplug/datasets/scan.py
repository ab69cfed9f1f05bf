"""Which image and label files a data set has, and one clear error when they do not fit.

Pure functions over folders. Labels are looked up in one listing of their folder, not by one
call per file, so that every missing label is known before training starts.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmengine import fileio
from mmengine.logging import print_log

from ..errors import DataError
from .suffixes import Suffix, as_tuple, ending, stem_of

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


def image_names(folder: str, suffix: Suffix, ann_file: str = '',
                backend_args: dict | None = None) -> list[tuple[str, str]]:
    """The images of a set: (name without its suffix, name), relative to ``folder``.

    Sorted by name; with ``ann_file`` (one name a line, with the suffix or without, empty lines
    skipped) in the order of that file. An image that the file names and that does not exist has
    the first suffix.
    Files whose suffix differs in case only are not taken, and the log says so.

    Args:
        folder: Images lie below it.
        suffix: How images end; several where a folder mixes them.
        ann_file: '' lists the folder.
        backend_args: mmengine's file backend.

    Raises:
        DataError: Two images differ in their suffix only, so that they would share a label, also
            where the other one is in the list of another split; or ``ann_file`` cannot be read.
    """
    if ann_file and not fileio.isdir(ann_file, backend_args=backend_args):
        lines = _lines(ann_file, backend_args)
        found = [stem_of(line, suffix) for line in lines]
        stems = [line if stem is None else stem for line, stem in zip(lines, found, strict=True)]
        files = with_suffix(folder, stems, suffix, backend_args)
        pairs = [(stem, file if stem == line else line)
                 for stem, file, line in zip(stems, files, lines, strict=True)]
    else:
        files = list_files(folder, '', backend_args)
        _report_other_case(folder, files, suffix)
        pairs = [(stem, name) for name in files if (stem := stem_of(name, suffix)) is not None]
    _check_stems(folder, pairs)
    return pairs


def image_stems(folder: str, suffix: Suffix, ann_file: str = '',
                backend_args: dict | None = None) -> list[str]:
    """The names of `image_names` without their suffix."""
    return [stem for stem, _ in image_names(folder, suffix, ann_file, backend_args)]


def with_suffix(folder: str, stems: list[str], suffix: Suffix, backend_args: dict | None = None
                ) -> list[str]:
    """The name of each stem's file: of several suffixes the one that a file of ``folder`` has.

    The first suffix where no file has one.

    Raises:
        DataError: A stem has two files.
    """
    first, *others = ends = as_tuple(suffix)
    if not others or not stems:
        return [stem + first for stem in stems]
    present = [(stem, name) for name in list_files(folder, '', backend_args)
               if (stem := stem_of(name, suffix)) is not None]
    wanted = set(stems)
    _check_stems(folder, [pair for pair in present if pair[0] in wanted])
    names = dict(present)
    # Names written in another way, such as ../other/a, are not in the listing.
    return [names[stem] if stem in names else next(
        (stem + end for end in ends
         if fileio.isfile(os.path.join(folder, stem + end), backend_args=backend_args)),
        stem + first) for stem in stems]


def _lines(file: str, backend_args: dict | None) -> list[str]:
    """The lines of a split file, without blanks around them and without empty ones."""
    if not fileio.isfile(file, backend_args=backend_args):
        raise DataError(f'The split file {file} does not exist.', got=nearby(file),
                        fix='correct ann_file, data_root or --data-root')
    try:
        text = fileio.get_text(file, backend_args=backend_args)
    except UnicodeDecodeError as error:
        raise DataError(f'The split file {file} is no UTF-8 text.', got=str(error),
                        expected='one image name a line') from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _report_other_case(folder: str, files: list[str], suffix: Suffix) -> None:
    ends = as_tuple(suffix)
    lower = tuple(end.lower() for end in ends)
    other = [f for f in files if f.lower().endswith(lower) and not f.endswith(ends)]
    if other:
        end = next(other[0][-len(e):] for e in ends if other[0].lower().endswith(e.lower()))
        print_log(f'{len(other)} files below {folder} are left out because they end in {end}, not '
                  f'{" or ".join(ends)}: {some(other)}; img_suffix={(*ends, end)!r} takes both',
                  'current', logging.WARNING)


def _check_stems(folder: str, pairs: list[tuple[str, str]]) -> None:
    found: dict[str, str] = {}
    for stem, name in pairs:
        if found.setdefault(stem, name) != name:
            raise DataError(f'Two images below {folder} differ in how they end only, and would '
                            'have one label.', got=f'{found[stem]} and {name}',
                            expected='one image of each name',
                            fix='take one out or rename it, or name the right end with img_suffix')


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
    counts = Counter(map(ending, files))
    inside = f'{len(files)} files below it (' + ', '.join(
        f'{n} *{e}' for e, n in counts.most_common(_SHOWN)) + '), ' if files else ''
    return f'{lead}{folder} holds {inside}{some(children) or "nothing"}'


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
