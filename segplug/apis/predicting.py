"""Label images, videos and what is too large to be held, and write what was found to a folder."""

import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.logging import MMLogger, print_log

from ..engine.progress import several
from ..errors import ConfigError, SegplugError
from ..startup import awake, settle
from . import large
from .in_order import in_order
from .model import Model, load_model
from .predict_files import Writer, check_out
from .predict_tasks import Task, tasks_of
from .results import Shown
from .sources import Video, source_files

if TYPE_CHECKING:
    import pandas as pd

_FLUSH = 60.0  # seconds between two writings of the areas, which a killed process leaves behind


@dataclass(frozen=True, repr=False)
class PredictResult(Shown):
    """What was written.

    Attributes:
        out: The folder.
        labels: The label files, in the order of the images.
        areas: A row for each image (or frame): image, height, width, and the pixels of each class.
        skipped: How many of them an earlier call had written.
    """

    out: Path
    labels: list[Path]
    areas: 'pd.DataFrame' = field(repr=False)
    skipped: int = 0

    def __str__(self) -> str:
        before = f', {self.skipped} of them before' if self.skipped else ''
        return (f'Labelled {several(len(self.labels), "image")}{before}: {self.out}/labels and '
                f'{self.out}/overlays, and areas of classes in {self.out}/areas.csv')

    __repr__ = __str__


def predict(config: str, checkpoint: str | None, images: Iterable[str | Path] | str | Path,
            out: str | Path, *, device: str | None = None, aug_test: bool = False,
            probs: str | None = None, window: tuple[int, int] | None = None,
            stride: tuple[int, int] | None = None, opacity: float = 0.5,
            overwrite: bool = False, skip_existing: bool = False, options: dict | None = None,
            data_root: str | None = None, speed: dict | None = None, load: dict | None = None,
            classes: str | None = None) -> PredictResult:
    """Write labels (PNG that show in the palette's colours), overlays and areas to ``out``.

    Args:
        config: Path or shipped name of the config; or the checkpoint, see `load_model`.
        checkpoint: File, URL or known name; None if ``config`` is the checkpoint.
        images: Files, folders, patterns; a folder stands for all images and videos below it.
            A video has a label file for each frame, and a video of the overlays.
        out: Folder to write to.
        device, aug_test, options, data_root, speed, load, classes: As for `load_model`.
        probs: Also write the probabilities: 'npz' (float32, K x H x W) or 'png16' (a gray PNG for
            each class, 65535 is 1).
        window: (H, W): label in windows at the image's own size, without the pipeline's resizing.
            By default only images from 2^26 pixels on are, in the model's own windows.
        stride: (H, W) from one window to the next; by default three quarters of a window.
        opacity: Share of the colours in overlays, in [0, 1].
        overwrite: Replace files that are in ``out`` already.
        skip_existing: Leave out the images whose files are in ``out`` already, after an
            interruption.

    Raises:
        DataError: An image is missing, none was found, or a video cannot be read: nothing is
            written then. One is broken: what was labelled before it is kept, areas too.
        ConfigError: ``out`` holds predictions; also `load_model`'s.
    """
    from ..engine.whole_file import refusals_told
    files = source_files([images] if isinstance(images, (str, Path)) else images)
    if not files:
        raise ConfigError('There is nothing to label.', expected='files, folders or patterns')
    out = Path(out)
    check_out(out, overwrite, skip_existing)
    tasks = tasks_of(files, probs is not None, window, stride)
    model = load_model(config, checkpoint, device=device, aug_test=aug_test, options=options,
                       data_root=data_root, speed=speed, load=load, classes=classes)
    writer = Writer(out, model.classes, model.palette, probs, opacity)
    before = writer.written(tasks) if skip_existing else {}
    found = _Found(writer, tasks, before)
    left = [task for task in tasks if task.name not in before]
    if any(task.kind == 'rows' for task in left):  # raises before the first image is labelled
        large.window_cfg(model.net.tta_cfg, window, stride)
    settle()
    awake()
    with refusals_told(out), _progress(left) as advance, found.kept():
        for task, path, row in _Job(model, writer, window, stride, advance).run(left):
            found.add(task, path, row)
    return found.result(out)


class _Found:
    """Label files and rows of areas, by task; the rows are written now and then and at the end."""

    def __init__(self, writer: Writer, tasks: list[Task], before: dict) -> None:
        self._writer, self._flushed = writer, time.monotonic()
        self._by_task = {task.name: list(before.get(task.name, ())) for task in tasks}
        self._skipped = sum(map(len, before.values()))

    def add(self, task: Task, path: Path, row: dict) -> None:
        self._by_task[task.name].append((path, row))
        if time.monotonic() - self._flushed > _FLUSH:
            self._writer.write_areas(self._rows())
            self._flushed = time.monotonic()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Write the rows at the end, or those there are when something goes wrong."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(SegplugError):
                if rows := self._rows():
                    self._writer.write_areas(rows)
            raise
        self._writer.write_areas(self._rows())

    def result(self, out: Path) -> PredictResult:
        import pandas as pd
        return PredictResult(out, [path for path, _ in self._pairs()], pd.DataFrame(self._rows()),
                             self._skipped)

    def _rows(self) -> list[dict]:
        return [row for _, row in self._pairs()]

    def _pairs(self) -> Iterator[tuple[Path, dict]]:
        return itertools.chain.from_iterable(self._by_task.values())


@contextlib.contextmanager
def _progress(tasks: list[Task]) -> Iterator[Callable[[int], None]]:
    """Show how far it is: images and frames; of one large image, rows.

    Yields:
        What is called with the number of units that were done since the last call.
    """
    from ..engine.progress import Progress
    by_rows = len(tasks) == 1 and tasks[0].kind == 'rows' and large.is_large(tasks[0].file)
    total = large.size_of(tasks[0].file)[0] if by_rows else sum(task.size for task in tasks)
    with Progress('predict', total, MMLogger.get_current_instance(),
                  noun='row' if by_rows else 'image') as progress:
        done = 0

        def advance(units: int, *, of_rows: bool = False) -> None:
            nonlocal done
            if of_rows == by_rows:
                done += units
                progress.reach(done)
        yield advance


@dataclass(frozen=True)
class _Job:
    """Files of three kinds, each labelled in its own way, in their order."""

    model: Model
    writer: Writer
    window: tuple[int, int] | None
    stride: tuple[int, int] | None
    advance: Callable[..., None]

    def run(self, tasks: list[Task]) -> Iterator[tuple[Task, Path, dict]]:
        """(task, label file, row of areas) for each image and each frame."""
        for kind, group in itertools.groupby(tasks, key=lambda task: task.kind):
            label = dict(image=self._images, video=self._videos, rows=self._by_rows)[kind]
            yield from label(list(group))

    def _images(self, tasks: list[Task]) -> Iterator[tuple[Task, Path, dict]]:
        """Read ahead, label, and write behind."""
        found = self.model.stream([task.file for task in tasks],
                                  probs=self.writer.wants_probs)
        jobs = zip(found, tasks, strict=True)
        written = in_order(lambda job: self.writer.write(job[0], job[1].name, job[1].file), jobs,
                           workers=2)
        for task, (path, row) in zip(tasks, written, strict=True):
            yield task, path, row
            self.advance(1)

    def _by_rows(self, tasks: list[Task]) -> Iterator[tuple[Task, Path, dict]]:
        for task in tasks:
            with self.model.by_rows(task.file, self.window, self.stride) as (image, bands):
                yield task, *self.writer.write_rows(image, self._counted(bands), task.name)
            self.advance(1)

    def _counted(self, bands: Iterator) -> Iterator:
        for band in bands:
            yield band
            self.advance(len(band), of_rows=True)

    def _videos(self, tasks: list[Task]) -> Iterator[tuple[Task, Path, dict]]:
        for task in tasks:
            left = task.size
            frames = self.model.stream(task.file)
            for path, row in self.writer.write_video(Video(task.file), frames, task.name):
                yield task, path, row
                self.advance(min(left, 1))  # a file may promise fewer frames than it has
                left -= min(left, 1)
            if left:
                print_log(f'Of the {task.size} frames that {task.file} says it has, '
                          f'{task.size - left} could be read: it may be cut off.', 'current',
                          logging.WARNING)
            self.advance(left)
