"""The files of a prediction: labels, overlays, probabilities and areas; each whole or not there."""

import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..engine.whole_file import whole_file
from ..errors import ConfigError, DataError
from ..visualization.draw import encode_labels, encode_picture, overlay
from ..visualization.label_rows import geo_tags, write_label_rows
from .large import LargeImage
from .predict_tasks import Task
from .prediction import Prediction
from .sources import Video

FOLDERS = ('labels', 'overlays', 'probs')
AREAS = 'areas.csv'
_SIZE = ('image', 'height', 'width')  # the columns before the classes
PROBS = ('npz', 'png16')


class Writer:
    """Writes what is predicted to the folders of ``out``.

    Args:
        out: The folder.
        classes: K names.
        palette: K (r, g, b).
        probs: 'npz' or 'png16', or None for no probabilities.
        alpha: Share of the colours in overlays.
    """

    def __init__(self, out: Path, classes: Sequence[str], palette, probs: str | None = None,
                 alpha: float = 0.5) -> None:
        if probs not in (None, *PROBS):
            raise ConfigError('Probabilities are not written in this form.', got=repr(probs),
                              expected=f'one of {PROBS}', culprit=str(probs))
        if not 0 <= alpha <= 1:
            raise ConfigError('The opacity of overlays is out of range.', got=alpha,
                              expected='a number from 0 to 1')
        self._out, self._classes, self._palette = out, tuple(classes), palette
        self._probs, self._alpha = probs, alpha
        self._columns = column_names(classes)

    @property
    def columns(self) -> list[str]:
        """The columns of the areas."""
        return [*_SIZE, *self._columns]

    @property
    def wants_probs(self) -> bool:
        return self._probs is not None

    def write(self, found: Prediction, name: str, source: Path) -> tuple[Path, dict]:
        """The files of one image; the label file, which comes last, and its row of areas."""
        self._put('overlays', f'{name}.png', encode_picture(found.overlay(self._alpha)))
        if self._probs == 'npz':
            file = io.BytesIO()
            np.savez_compressed(file, probs=found.probs, classes=np.array(self._classes))
            self._put('probs', f'{name}.npz', file.getvalue())
        elif self._probs == 'png16':
            for label, plane in zip(file_names(self._classes), found.probs, strict=True):
                deep = np.rint(plane * 65535).astype(np.uint16)
                self._put('probs', f'{name}/{label}.png', cv2.imencode('.png', deep)[1].tobytes())
        path = self.label_path(name, source)
        if path.suffix == '.tif':
            with whole_file(path, 'wb') as file:
                write_label_rows(file, path.suffix, found.labels.shape, self._palette,
                                 [found.labels], source)
        else:
            self._put('labels', path.relative_to(self._out / 'labels'),
                      encode_labels(found.labels, self._palette))
        return path, self._row(name, found.labels.shape, self._counts(found.labels))

    def label_path(self, name: str, source: Path, by_rows: bool = False) -> Path:
        """Where the labels of an image go: a TIFF, if it lies on a map or is written by rows."""
        tiff = source.suffix.lower() in ('.tif', '.tiff') and (by_rows or _is_on_a_map(source))
        return self._out / 'labels' / f'{name}{".tif" if tiff else ".png"}'

    def film_path(self, name: str) -> Path:
        """Where the overlays of a video go."""
        return self._out / 'overlays' / f'{name}.mp4'

    def write_video(self, video: Video, frames: Iterator[Prediction], name: str
                    ) -> Iterator[tuple[Path, dict]]:
        """A label file for each frame, and a video of the overlays, which comes last.

        Raises:
            ConfigError: OpenCV writes no such video here.
        """
        target = self.film_path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f'.{target.name}.part.mp4')
        height, width = video.size
        film = cv2.VideoWriter(str(partial), cv2.VideoWriter_fourcc(*'mp4v'), video.rate,
                               (width, height))
        try:
            if not film.isOpened():
                raise ConfigError(f'OpenCV writes no video of the overlays of {video.path} here.',
                                  got=f'{width}x{height} pixels, codec mp4v',
                                  fix='write its frames to files, and label those')
            for number, found in enumerate(frames):
                picture = np.ascontiguousarray(found.overlay(self._alpha)[..., ::-1])
                # Some videos change their size on the way, and a film does not.
                film.write(cv2.resize(picture, (width, height))
                           if picture.shape[:2] != video.size else picture)
                frame = f'{name}/{number:06d}'
                path = self._put('labels', f'{frame}.png',
                                 encode_labels(found.labels, self._palette))
                yield path, self._row(frame, found.labels.shape, self._counts(found.labels))
            film.release()
            partial.replace(target)
        finally:
            film.release()
            partial.unlink(missing_ok=True)

    def write_rows(self, image: LargeImage, bands: Iterator[np.ndarray], name: str
                   ) -> tuple[Path, dict]:
        """The files of an image that is labelled by rows; its overlay is made smaller."""
        path = self.label_path(name, image.path, by_rows=True)
        counts, sampled, top = np.zeros(max(len(self._classes), 2), np.int64), [], 0

        def counted() -> Iterator[np.ndarray]:
            nonlocal counts, top
            for band in bands:
                counts = counts + np.bincount(band.ravel(), minlength=len(counts))
                sampled.append(band[-top % image.step::image.step, ::image.step].copy())
                top += len(band)
                yield band

        with whole_file(path, 'wb') as file:
            write_label_rows(file, path.suffix, image.size, self._palette, counted(),
                             image.path if path.suffix == '.tif' else None)
        small = overlay(image.picture(), np.concatenate(sampled), self._palette, self._alpha)
        self._put('overlays', f'{name}.png', encode_picture(small))
        return path, self._row(name, image.size, counts)

    def write_areas(self, rows: Sequence[dict]) -> Path:
        """``areas.csv``: pixels of each class, a row for each image."""
        import pandas as pd
        table = pd.DataFrame(rows).to_csv(index=False)
        return self._put('.', AREAS, table.encode('utf-8', 'surrogateescape'))

    def written(self, tasks: Sequence[Task]) -> dict[str, list[tuple[Path, dict]]]:
        """What an interrupted prediction has finished: label files and rows, by task.

        Raises:
            ConfigError: It was one of other classes.
            DataError: Its areas.csv is damaged.
        """
        rows, found = self._read_areas(), {}
        frames = itertools.groupby(rows, key=lambda name: name.rpartition('/')[0])
        of_video = {name: list(group) for name, group in frames}
        for task in tasks:
            if task.kind == 'video':
                names = of_video.get(task.name, []) if self.film_path(task.name).exists() else []
                paths = [self._out / 'labels' / f'{name}.png' for name in names]
            else:
                names = [task.name] if task.name in rows and self._has_probs(task.name) else []
                paths = [self.label_path(task.name, task.file, task.kind == 'rows')]
            if names and all(path.exists() for path in paths):
                found[task.name] = [(path, rows[name]) for path, name in
                                    zip(paths, names, strict=True)]
        return found

    def _has_probs(self, name: str) -> bool:
        if self._probs is None:
            return True
        end = '.npz' if self._probs == 'npz' else f'/{file_names(self._classes)[-1]}.png'
        return (self._out / 'probs' / f'{name}{end}').exists()

    def _read_areas(self) -> dict[str, dict]:
        import pandas as pd
        path = self._out / AREAS
        if not path.is_file():
            return {}
        try:
            table = pd.read_csv(path, dtype={'image': str}, keep_default_na=False,
                                encoding_errors='surrogateescape')
        except (ValueError, OSError) as error:  # pandas' own are ValueErrors
            raise DataError(f'{path} cannot be read.', got=str(error).strip(),
                            fix='name another folder, or begin anew with --overwrite') from error
        if table.columns.tolist() != self.columns:
            raise ConfigError(f'{path} is of another model: its classes are not these.',
                              got=', '.join(table.columns[len(_SIZE):][:6]),
                              fix='name another folder')
        return {row['image']: row for row in table.to_dict('records')}

    def _counts(self, labels: np.ndarray) -> np.ndarray:
        return np.bincount(labels.ravel(), minlength=len(self._classes))

    def _row(self, name: str, size: tuple[int, int], counts: np.ndarray) -> dict:
        return dict(zip(self.columns, (name, *size, *counts.tolist()), strict=False))

    def _put(self, folder: str, name: str | Path, data: bytes) -> Path:
        path = self._out / folder / name
        with whole_file(path, 'wb') as file:
            file.write(data)
        return path


def column_names(classes: Sequence[str]) -> list[str]:
    """The classes; one of the name of another column has its number behind it."""
    return _distinct(classes, ' ', beside=_SIZE)


def file_names(classes: Sequence[str]) -> list[str]:
    """The classes as names of files, 'traffic light' as 'traffic_light'.

    Where two would be one file (on some disks also those that differ in case only), they have
    their numbers behind them.
    """
    return _distinct([''.join(c if c.isalnum() or c in '-.' else '_' for c in label) or '_'
                      for label in classes], '_', same=str.lower)


def _distinct(names: Sequence[str], mark: str, beside: Sequence[str] = (),
              same: Callable[[str], str] = str) -> list[str]:
    """Names of which none is another, nor one of those ``beside``.

    Args:
        names: Where two are the same, they have ``mark`` and their numbers behind them; all have,
            where one is called as another is then.
        same: What two that are the same have in common.
    """
    often = Counter(map(same, [*beside, *names]))
    numbered = [f'{name}{mark}{k}' for k, name in enumerate(names)]
    found = [numbered[k] if often[same(name)] > 1 else name for k, name in enumerate(names)]
    return found if len(set(map(same, found))) == len(found) else numbered


def _is_on_a_map(source: Path) -> bool:
    try:
        return bool(geo_tags(source))
    except Exception:  # a damaged TIFF, of which its reader has told
        return False


def check_out(out: Path, overwrite: bool, skip_existing: bool = False) -> None:
    """Raise a ConfigError if ``out`` is a file, or holds what a prediction would overwrite.

    Args:
        out: The folder; it need not exist.
        overwrite: Whether what it holds of earlier predictions may be replaced.
        skip_existing: Whether they are to be completed.
    """
    if overwrite and skip_existing:
        raise ConfigError('--overwrite replaces what --skip-existing keeps.',
                          fix='give one of them')
    if out.exists() and not out.is_dir():
        raise ConfigError(f'--out {out} is a file.', expected='a folder, existing or not')
    held = [name for name in (*FOLDERS, AREAS) if (out / name).exists()]
    if held and not overwrite and not skip_existing:
        raise ConfigError(f'--out {out} holds predictions already.', got=', '.join(held),
                          fix='name another folder, add --overwrite to replace files of the same '
                              'names, or --skip-existing to go on after an interruption')
