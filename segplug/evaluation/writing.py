"""Label PNGs written behind the network: encoding and writing take a few threads.

A file has a provisional name until all images are seen, as only then is it known which names
are unique. OpenCV encodes, and the system writes, without Python's lock.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from torch import Tensor

from ..errors import OutputError, SegplugError
from . import outputs
from .tally import HostCopy

THREADS = 2
# Images that may wait to be written, so that memory stays flat where the disk is slow.
AHEAD = 2 * THREADS


class PredictionWriter:
    """Writes below ``folder``; one object per process and evaluation.

    Args:
        folder: Where the files are to lie in the end.
        rank: Of this process, so that provisional names do not clash.

    Raises:
        OutputError: The folder cannot be made.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        self.folder, self.rank = folder, rank
        self._partial = folder / '.partial'
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f'The folder {folder} could not be made.', got=error,
                              fix='choose another --out') from error
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix='segplug-png')
        self._waiting: deque[tuple[str, Future]] = deque()
        self._paths: list[Path] = []

    def put(self, file: str, pred: Tensor, values: Callable[[np.ndarray], np.ndarray]) -> None:
        """Have one map written; waits only where `AHEAD` others do.

        Args:
            file: The image, for errors.
            pred: (H, W) integer, on any device; it may be written over afterwards.
            values: (H, W) class ids -> what the file shall hold; raises for bad ones.

        Raises:
            OutputError: An earlier file could not be written.
            DataError: One holds bad values.
        """
        path = self._partial / f'{self.rank}-{len(self._paths)}.png'
        copy = HostCopy(pred.clone() if pred.device.type == 'cpu' else pred)
        self._paths.append(path)
        self._waiting.append((file, self._pool.submit(_write, path, copy, values)))
        self._settle(AHEAD)

    def finish(self) -> list[Path]:
        """Wait for every file; their provisional paths, in the order of `put`.

        Raises:
            OutputError, DataError: As `put`.
        """
        self._settle(0)
        self._pool.shutdown()
        return self._paths

    def _settle(self, leave: int) -> None:
        while len(self._waiting) > leave or self._waiting and self._waiting[0][1].done():
            file, future = self._waiting.popleft()
            error = future.exception()
            if error is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                raise self._named(error, file)

    def _named(self, error: BaseException, file: str) -> BaseException:
        """The error of a thread with the image it belongs to."""
        if isinstance(error, SegplugError):
            error.what = f'Writing the prediction for {file}: {error.what}'
        elif isinstance(error, OSError):
            named = OutputError(f'The prediction for {file} could not be written.', got=error,
                                fix=f'make room in {self.folder}, or choose another --out')
            named.__cause__ = error
            return named
        return error


def _write(path: Path, copy: HostCopy, values: Callable[[np.ndarray], np.ndarray]) -> None:
    path.write_bytes(outputs.label_png(values(copy.get().numpy())))


def publish(folder: Path, finished: Mapping[Path, str]) -> None:
    """Give each provisional file its name (without suffix) below ``folder``."""
    for path, name in finished.items():
        target = folder / f'{name}.png'
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)


def tidy(folder: Path, names: Iterable[str]) -> list[str]:
    """Remove the empty folder of provisional files; returns the PNGs that are none of ours."""
    partial = folder / '.partial'
    if partial.is_dir() and not any(partial.iterdir()):
        partial.rmdir()
    return outputs.strangers(folder, names)
