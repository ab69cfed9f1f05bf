"""Label images, videos and what is too large to be held, and write what was found to a folder."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.logging import MMLogger

from ..errors import ConfigError
from ..startup import awake, settle
from .in_order import in_order
from .model import Model, load_model
from .predict_files import Writer, check_out
from .results import Shown
from .sources import Video, is_video, source_files

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PredictResult(Shown):
    """What was written.

    Attributes:
        out: The folder.
        labels: The label files, in the order of the images.
        areas: A row for each image (or frame): image, height, width, and the pixels of each class.
    """

    out: Path
    labels: list[Path]
    areas: 'pd.DataFrame' = field(repr=False)

    def __str__(self) -> str:
        return (f'Labelled {len(self.labels)} images: {self.out}/labels and {self.out}/overlays, '
                f'and areas of classes in {self.out}/areas.csv')


def predict(config: str, checkpoint: str | None, images: Iterable[str | Path] | str | Path,
            out: str | Path, *, device: str | None = None, aug_test: bool = False,
            probs: str | None = None, window: tuple[int, int] | None = None,
            stride: tuple[int, int] | None = None, opacity: float = 0.5,
            overwrite: bool = False, options: dict | None = None, data_root: str | None = None,
            speed: dict | None = None, load: dict | None = None,
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

    Raises:
        DataError: An image is missing, or none was found: nothing is written then. One is broken.
        ConfigError: ``out`` holds predictions; also `load_model`'s.
    """
    from ..engine.progress import Progress
    from ..engine.whole_file import refusals_told
    from ..evaluation.outputs import output_names
    files = source_files([images] if isinstance(images, (str, Path)) else images)
    if not files:
        raise ConfigError('There is nothing to label.', expected='files, folders or patterns')
    settle()
    out = Path(out)
    check_out(out, overwrite)
    model = load_model(config, checkpoint, device=device, aug_test=aug_test, options=options,
                       data_root=data_root, speed=speed, load=load, classes=classes)
    writer = Writer(out, model.classes, model.palette, probs, opacity)
    written, rows = [], []
    awake()
    job = _Job(model, writer, probs is not None, window, stride)
    with refusals_told(out), Progress('predict', len(files), MMLogger.get_current_instance()) \
            as progress:
        for done, (path, row) in job.run(files, output_names([str(file) for file in files])):
            written.append(path)
            rows.append(row)
            progress.reach(done)
        writer.write_areas(rows)
    import pandas as pd
    return PredictResult(out, written, pd.DataFrame(rows))


@dataclass(frozen=True)
class _Job:
    """Files of three kinds, each labelled in its own way, in their order."""

    model: Model
    writer: Writer
    probs: bool
    window: tuple[int, int] | None
    stride: tuple[int, int] | None

    def run(self, files: list[Path], names: list[str]) -> Iterator[tuple[int, tuple[Path, dict]]]:
        """(files done, (label file, row of areas)) for each image and each frame."""
        done, pairs = 0, zip(files, names, strict=True)
        for kind, group in itertools.groupby(pairs, key=lambda pair: self._kind(pair[0])):
            if kind == 'image':
                for one in self._images(list(group)):
                    done += 1
                    yield done, one
                continue
            for file, name in group:
                for one in self._rows(file, name) if kind == 'rows' else self._video(file, name):
                    yield done, one
                done += 1

    def _kind(self, file: Path) -> str:
        if is_video(file):
            if self.probs or self.window:
                raise ConfigError(f'{file} is a video: neither probabilities nor windows are '
                                  'made of one.', fix='leave --probs and --window away')
            return 'video'
        by_rows = self.window is not None or self.model.is_large(file)
        if by_rows and self.probs:
            raise ConfigError(f'{file} is labelled by rows, which writes no probabilities.',
                              fix='leave --probs and --window away, or cut the image')
        return 'rows' if by_rows else 'image'

    def _images(self, pairs: list[tuple[Path, str]]) -> Iterator[tuple[Path, dict]]:
        """Read ahead, label, and write behind."""
        found = self.model.stream([file for file, _ in pairs], probs=self.probs)
        jobs = zip(found, (name for _, name in pairs), strict=True)
        return in_order(lambda pair: self.writer.write(*pair), jobs, workers=2)

    def _rows(self, file: Path, name: str) -> Iterator[tuple[Path, dict]]:
        with self.model.by_rows(file, self.window, self.stride) as (image, bands):
            yield self.writer.write_rows(image, bands, name)

    def _video(self, file: Path, name: str) -> Iterator[tuple[Path, dict]]:
        return self.writer.write_video(Video(file), self.model.stream(file), name)
