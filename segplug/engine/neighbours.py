"""The checkpoints beside a broken one: which a person, or a run that is resumed, means instead."""

import contextlib
import re
import zipfile
from pathlib import Path

from . import archive

_LOOKED_AT = 5  # files beside a broken one that are read to name a good one


def by_likelihood(folder: Path, path: Path | None) -> list[Path]:
    """The other checkpoints of a folder: first those just before ``path``, by the number in their
    name, then any, by the time of writing, as a folder may hold those of an earlier run too."""
    endings = {'.pth', path.suffix} if path else {'.pth'}  # CheckpointHook's filename_tmpl
    others = [p for p in folder.iterdir() if p.suffix in endings and p != path and p.is_file()] \
        if folder.is_dir() else []
    kind, number = _numbered(path) if path else (None, -1)

    def rank(other: Path):
        other_kind, other_number = _numbered(other)
        before = other_kind == kind and other_number < number
        return before, other_number if before else -1, other.stat().st_mtime_ns, other.name

    return sorted(others, key=rank, reverse=True)


def _numbered(path: Path) -> tuple[str, int]:
    """('iter_', 2000) of iter_2000.pth."""
    match = re.fullmatch(r'(.*?)(\d+)', path.stem)
    return (match[1], int(match[2])) if match else (path.stem, -1)


def good_beside(path: Path) -> Path | None:
    """A whole checkpoint in the folder of a broken one, the likeliest first."""
    for other in by_likelihood(path.parent, path)[:_LOOKED_AT]:
        with contextlib.suppress(archive.DamagedFile, OSError):
            archive.check(other)
            if zipfile.is_zipfile(other):
                return other
    return None
