"""A file that has its name only when it is whole and on the disk, and what to say when it is not.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError


@contextlib.contextmanager
def whole_file(path: str | os.PathLike, mode: str = 'w'):
    """Open a temporary file beside ``path`` that takes its name at the end of the ``with``.

    Raises:
        OutputError: The disk is full, read-only or gone. What was under ``path`` stays, and
            nothing else is left.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the folder may be gone, or read-only by now
            partial.unlink(missing_ok=True)
        if (cause := _os_error(error)) is not None:
            raise cannot_write(path, cause) from error
        raise


def cannot_write(path: str | os.PathLike, error: OSError) -> OutputError:
    """One sentence for an operating system's refusal."""
    return OutputError(
        f'{path} could not be written: {error.strerror or error}.', culprit=str(path),
        fix='make room, or mend the folder, and go on (train --resume, predict --skip-existing): '
        'what was saved before is whole')


# What a disk says that is full (or whose quota or size limit is reached), read-only or failing;
# such an error of a write does not tell the file.
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextlib.contextmanager
def refusals_told(folder: str | os.PathLike) -> Iterator[None]:
    """Say in one sentence, as an OutputError, that a run cannot write to its folder.

    For everything that a run writes there: log, config, curves. Other errors stay as they are.
    """
    try:
        yield
    except OSError as error:
        named = error.filename
        below = isinstance(named, str | os.PathLike) and Path(folder).absolute() in (
            Path(named).absolute(), *Path(named).absolute().parents)
        if not below and (named is not None or error.errno not in _REFUSED):
            raise
        raise cannot_write(named if below else folder, error) from error


def _os_error(error: BaseException | None) -> OSError | None:
    """The refusal behind ``error``; torch raises a RuntimeError of its own on top of one."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__ if isinstance(error, RuntimeError) else None
    return error


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut; folders cannot be opened on Windows."""
    if os.name == 'posix':
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
