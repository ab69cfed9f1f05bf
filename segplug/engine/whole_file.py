"""A file that has its name only when it is whole and on the disk, and what to say when it is not.
"""

import contextlib
import os
from pathlib import Path

from ..errors import CheckpointError


@contextlib.contextmanager
def whole_file(path: str | os.PathLike, mode: str = 'w'):
    """Open a temporary file beside ``path`` that takes its name at the end of the ``with``.

    Raises:
        CheckpointError: The disk is full, read-only or gone. What was under ``path`` stays, and
            nothing else is left.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, mode) as file:
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


def cannot_write(path: str | os.PathLike, error: OSError) -> CheckpointError:
    """One sentence for an operating system's refusal."""
    return CheckpointError(
        f'{path} could not be written: {error.strerror or error}.', culprit=str(path),
        fix='make room, or mend the folder; then go on with --resume: what was saved before is '
        'whole')


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
