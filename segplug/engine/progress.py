"""How far a test is: images of all processes, images per second, time left.

Processes are not in step while they test, so nothing here waits for another one: each adds what
it has done to a number in the store through which the job met, at most twice a second, and the
first process shows the sum.
"""

import datetime
import itertools
import logging
import shutil
import sys
import time
from dataclasses import dataclass

import torch.distributed as dist
from mmengine.dist import get_dist_info

LOOK = 0.5  # seconds between two looks at what the other processes have done
SILENCE = 30.0  # seconds without a line in a log file

_serial = itertools.count()


@dataclass(frozen=True)
class Standing:
    """What has been done so far.

    Attributes:
        images: Number of images done, by all processes.
        total: Number of images in all.
        share: Of the work, in 0..1: of the pixels where sizes are known, else of the images.
        seconds: Since the start.
    """

    images: int
    total: int
    share: float
    seconds: float

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / max(self.seconds, 1e-9)

    @property
    def eta(self) -> float:
        """Seconds left, if the work goes on as it went so far."""
        return self.seconds * (1 - self.share) / self.share if self.share else float('inf')


def clock_time(seconds: float) -> str:
    """83.4 -> '0:01:23'."""
    return '?' if seconds == float('inf') else str(datetime.timedelta(seconds=int(seconds)))


def several(count: int, noun: str) -> str:
    """(1, 'image') -> '1 image'; (2, 'image') -> '2 images'."""
    return f'{count} {noun}' if count == 1 else f'{count} {noun}s'


def progress_line(name: str, now: Standing, processes: int, bar: int = 0,
                  noun: str = 'image') -> str:
    """'test 132/500 images  26 %  8.31 images/s  eta: 0:00:44  2 processes', with a bar or not.

    Args:
        name: Of what is done.
        now: How far it is.
        processes: How many work on it; one is not mentioned.
        bar: Width of the bar in characters, 0 for none.
        noun: What is counted.
    """
    filled = int(bar * now.share)
    parts = [f'{name} [{"#" * filled}{"." * (bar - filled)}]' if bar else name,
             f'{now.images:{len(str(now.total))}d}/{several(now.total, noun)}',
             f'{int(100 * now.share):2d} %', f'{now.rate:.2f} {noun}s/s',
             f'eta: {clock_time(now.eta)}', f'{processes} processes' if processes > 1 else '']
    return '  '.join(part for part in parts if part)


class SharedCount:
    """Two sums over all processes that can be read at any time.

    It uses the job's store, as do gloo and nccl when they meet; without one, or when it is gone
    with the process that kept it, the sums are this process's own.
    """

    def __init__(self) -> None:
        self._own = [0, 0]
        key = f'segplug/progress/{next(_serial)}'
        self._keys = f'{key}/images', f'{key}/work'
        self._store = _job_store()

    def add(self, images: int, work: int) -> tuple[int, int]:
        """Add to both; returns the sums over all processes."""
        self._own = [self._own[0] + images, self._own[1] + work]
        if self._store is not None:
            try:
                return tuple(self._store.add(key, amount) for key, amount in
                             zip(self._keys, (images, work), strict=True))
            except RuntimeError:  # torch's errors of a lost connection among them
                self._store = None
        return tuple(self._own)


def _job_store():
    """The store of the default process group, or None."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return None
    try:
        return dist.distributed_c10d._get_default_store()
    except (AttributeError, RuntimeError, ValueError):  # a backend that met in another way
        return None


class Terminal:
    """One line at the foot of a terminal, which log lines push down."""

    def __init__(self, stream=None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = False

    def show(self, line: str) -> None:
        """Write ``line`` over the one before."""
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f'\r\x1b[K{line[:width]}')
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Leave an empty line for others to write on."""
        if self._shown:
            self._stream.write('\r\x1b[K')
            self._stream.flush()
            self._shown = False

    def filter(self, record: logging.LogRecord) -> bool:
        """A `logging.Filter` that lets every record pass, below the line's place."""
        self.clear()
        return True


class Progress:
    """Counts images and says how far they are, while used as a context.

    On a terminal one line is rewritten; in a log there is a line when nothing has been said for
    `SILENCE`. At the end one line says how long it took.

    Args:
        name: 'val' or 'test'.
        total: Number of images that all processes have together.
        logger: Where lines go.
        share, costs: Of a sampler that follows a plan: own images in order, and what each
            image of the data set costs. Without them images count alike.
        noun: What is counted, where it is no images.
        terminal: None for the process's own, if it has one.
        clock: Seconds, for tests.
    """

    def __init__(self, name: str, total: int, logger: logging.Logger, share=None, costs=None,
                 noun: str = 'image', terminal: Terminal | None = None,
                 clock=time.monotonic) -> None:
        self.name, self.total, self._logger, self._clock = name, total, logger, clock
        self._noun = noun
        rank, self._processes = get_dist_info()
        self._speaks = rank == 0
        self._work = [1] * total if costs is None else [costs[i] for i in share]
        self._all_work = total if costs is None else sum(costs)
        if terminal is None and self._speaks and sys.stderr.isatty():
            terminal = Terminal()
        self._terminal = terminal
        self._count = SharedCount()
        self._done = self._reported = 0
        self.now: Standing | None = None

    def __enter__(self) -> 'Progress':
        self._start = self._looked = self._said = self._clock()
        if self._terminal is not None:
            self._logger.addFilter(self._terminal)
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._terminal is not None:
            self._terminal.clear()
            self._logger.removeFilter(self._terminal)
        if kind is None and self._speaks:
            self._look(self._clock())
            on = f' on {self._processes} processes' if self._processes > 1 else ''
            self._logger.info(f'{self.name}: {several(self.now.images, self._noun)} in '
                              f'{clock_time(self.now.seconds)}, {self.now.rate:.2f} '
                              f'{self._noun}s/s{on}')

    def reach(self, images: int) -> None:
        """This process has done so many of its images."""
        self._done = images
        now = self._clock()
        if self.now is None or now - self._looked >= LOOK:
            self._look(now)
            self._speak(now)

    def finish_share(self) -> None:
        """This process has no more images; what it did counts at once."""
        self._look(self._clock())

    def for_log(self) -> Standing | None:
        """How far it is, for a line that somebody else writes: then none of ours is needed."""
        self._said = self._clock()
        return self.now

    def _look(self, now: float) -> None:
        fresh = self._work[self._reported:self._done]
        images, work = self._count.add(self._done - self._reported, sum(fresh))
        self._reported, self._looked = self._done, now
        self.now = Standing(images, self.total, min(1.0, work / max(self._all_work, 1)),
                            now - self._start)

    def _speak(self, now: float) -> None:
        if self._terminal is not None:
            self._terminal.show(progress_line(self.name, self.now, self._processes, 10,
                                              self._noun))
        elif self._speaks and now - self._said >= SILENCE:
            self._said = now
            self._logger.info(progress_line(self.name, self.now, self._processes,
                                            noun=self._noun))
