"""What a person may name to be labelled: images, folders, patterns, videos."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from ..datasets import scan
from ..errors import DataError

PICTURE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
IMAGE_SUFFIXES = (*PICTURE_SUFFIXES, '.npy', '.npz')
VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv')


def is_video(path: str | Path) -> bool:
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def source_files(sources: Iterable[str | Path]) -> list[Path]:
    """The files that arguments mean, each once, in order.

    Args:
        sources: Files; folders, which stand for all images and videos below them that are not
            hidden; patterns such as 'day*/**/*.png', where the shell has not resolved them.

    Raises:
        DataError: One of them is or holds nothing.
    """
    files = []
    for source in map(Path, sources):
        if source.is_dir():
            files += _below(source)
        elif source.exists():
            files.append(source)
        else:
            files += _matching(source)
    return list(dict.fromkeys(files))


def _below(folder: Path) -> list[Path]:
    known = IMAGE_SUFFIXES + VIDEO_SUFFIXES
    inside = [folder / name for name in scan.list_files(str(folder))
              if name.lower().endswith(known) and not _is_hidden(name)]
    if not inside:
        raise DataError(f'The folder {folder} holds no image.',
                        expected=f'files ending in {", ".join(known)}')
    return inside


def _is_hidden(name: str) -> bool:
    """Whether a part of it starts with a dot, as .ipynb_checkpoints does."""
    return any(part.startswith('.') for part in Path(name).parts)


def _matching(pattern: Path) -> list[Path]:
    if pattern.is_symlink():
        raise DataError(f'The image {pattern} is a link to what is not there.',
                        got=os.readlink(pattern), fix='mend or remove the link')
    if not glob.has_magic(str(pattern)):
        raise DataError(f'There is no image {pattern}.',
                        fix='give a file, a folder of images or a pattern in quotes')
    found = sorted(Path(p) for p in glob.glob(str(pattern), recursive=True) if Path(p).is_file())
    if not found:
        raise DataError(f'No file is called {pattern}.', fix='correct the pattern')
    return found


class Video:
    """The frames of a video file.

    Args:
        path: The file.

    Attributes:
        size: (H, W).
        rate: Frames per second; 25 where the file does not say.
        count: Frames, as the file says: 0 where it does not.

    Raises:
        DataError: OpenCV cannot read it, or it has no frames.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # what is wrong is said below
        self._capture = cv2.VideoCapture(str(path))
        self._first = self._capture.read()[1] if self._capture.isOpened() else None
        if self._first is None:
            raise DataError(f'The video {path} has no frames that can be read.',
                            got=f'{self.path.stat().st_size} bytes' if self.path.is_file()
                            else 'no such file', expected='a video that OpenCV can decode')
        self.size = self._first.shape[:2]
        self.rate = self._capture.get(cv2.CAP_PROP_FPS) or 25.
        self.count = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each frame, (H, W, 3) uint8 BGR; once."""
        frame, self._first = self._first, None
        while frame is not None:
            yield frame
            frame = self._capture.read()[1]
        self._capture.release()
