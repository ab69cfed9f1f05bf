"""What is to be labelled and in which way; what can be said to be wrong before the first image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ConfigError
from ..evaluation.outputs import output_names
from . import large
from .sources import Video, is_video


@dataclass(frozen=True)
class Task:
    """A file to label.

    Attributes:
        file: It.
        name: Of its outputs, without suffix.
        kind: 'image', 'video', or 'rows' for an image that is read and written by rows.
        size: Frames of a video, as far as it says, and 1 of an image.
    """

    file: Path
    name: str
    kind: str
    size: int = 1


def tasks_of(files: Sequence[Path], probs: bool, window: tuple[int, int] | None,
             stride: tuple[int, int] | None) -> list[Task]:
    """A task for each file.

    Args:
        files: Images and videos.
        probs: Whether probabilities are wanted.
        window, stride: As for `segplug.apis.predict`.

    Raises:
        ConfigError: A file cannot be labelled in this way, or ``stride`` is of no effect.
        DataError: A video cannot be read.
    """
    tasks = [_task(file, name, probs, window)
             for file, name in zip(files, _names(files), strict=True)]
    if stride is not None and not any(task.kind == 'rows' for task in tasks):
        raise ConfigError('--stride has no effect on images that are not labelled in windows.',
                          fix='add --window, or leave --stride away')
    return tasks


def _names(files: Sequence[Path]) -> list[str]:
    """Of the outputs; a video, which is a folder there, keeps its suffix beside one of its name."""
    names = output_names([str(file) for file in files])
    folders = {parent.as_posix() for name in names for parent in PurePosixPath(name).parents}
    return [name + file.suffix if name in folders and is_video(file) else name
            for file, name in zip(files, names, strict=True)]


def _task(file: Path, name: str, probs: bool, window: tuple[int, int] | None) -> Task:
    if is_video(file):
        if probs or window:
            raise ConfigError(f'{file} is a video: neither probabilities nor windows are made of '
                              'one.', fix='leave --probs and --window away')
        return Task(file, name, 'video', max(Video(file).count, 1))
    if window is None and not large.is_large(file):
        return Task(file, name, 'image')
    if probs:
        raise ConfigError(f'{file} is labelled by rows, which writes no probabilities.',
                          fix='leave --probs and --window away, or cut the image')
    return Task(file, name, 'rows')
