"""The files of a prediction: labels, overlays, probabilities and areas; each whole or not there."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..engine.whole_file import whole_file
from ..errors import ConfigError
from ..visualization.draw import encode_labels, encode_picture, overlay
from ..visualization.label_rows import write_label_rows
from .large import LargeImage
from .prediction import Prediction
from .sources import Video

FOLDERS = ('labels', 'overlays', 'probs')
AREAS = 'areas.csv'
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

    def write(self, found: Prediction, name: str) -> tuple[Path, dict]:
        """The files of one image; the label file and its row of areas."""
        path = self._put('labels', f'{name}.png', encode_labels(found.labels, self._palette))
        self._put('overlays', f'{name}.png', encode_picture(found.overlay(self._alpha)))
        if self._probs == 'npz':
            file = io.BytesIO()
            np.savez_compressed(file, probs=found.probs, classes=np.array(self._classes))
            self._put('probs', f'{name}.npz', file.getvalue())
        elif self._probs == 'png16':
            for label, plane in zip(self._classes, found.probs, strict=True):
                deep = np.rint(plane * 65535).astype(np.uint16)
                self._put('probs', f'{name}/{_file_name(label)}.png',
                          cv2.imencode('.png', deep)[1].tobytes())
        return path, self._row(name, found.labels.shape, self._counts(found.labels))

    def write_video(self, video: Video, frames: Iterator[Prediction], name: str
                    ) -> Iterator[tuple[Path, dict]]:
        """A label file for each frame, and a video of the overlays."""
        target = self._out / 'overlays' / f'{name}.mp4'
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f'.{target.name}.part.mp4')
        height, width = video.size
        film = cv2.VideoWriter(str(partial), cv2.VideoWriter_fourcc(*'mp4v'), video.rate,
                               (width, height))
        try:
            for number, found in enumerate(frames):
                film.write(np.ascontiguousarray(found.overlay(self._alpha)[..., ::-1]))
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
        tiff = image.path.suffix.lower() in ('.tif', '.tiff')
        suffix = '.tif' if tiff else '.png'
        path = self._out / 'labels' / f'{name}{suffix}'
        counts, sampled, top = np.zeros(max(len(self._classes), 2), np.int64), [], 0

        def counted() -> Iterator[np.ndarray]:
            nonlocal counts, top
            for band in bands:
                counts = counts + np.bincount(band.ravel(), minlength=len(counts))
                sampled.append(band[-top % image.step::image.step, ::image.step])
                top += len(band)
                yield band

        with whole_file(path, 'wb') as file:
            write_label_rows(file, suffix, image.size, self._palette, counted(),
                             image.path if tiff else None)
        small = overlay(image.picture(), np.concatenate(sampled), self._palette, self._alpha)
        self._put('overlays', f'{name}.png', encode_picture(small))
        return path, self._row(name, image.size, counts)

    def write_areas(self, rows: Sequence[dict]) -> Path:
        """``areas.csv``: pixels of each class, a row for each image."""
        import pandas as pd
        return self._put('.', AREAS, pd.DataFrame(rows).to_csv(index=False).encode())

    def _counts(self, labels: np.ndarray) -> np.ndarray:
        return np.bincount(labels.ravel(), minlength=len(self._classes))

    def _row(self, name: str, size: tuple[int, int], counts: np.ndarray) -> dict:
        return dict(image=name, height=size[0], width=size[1],
                    **{label: int(n) for label, n in zip(self._classes, counts, strict=False)})

    def _put(self, folder: str, name: str, data: bytes) -> Path:
        path = self._out / folder / name
        with whole_file(path, 'wb') as file:
            file.write(data)
        return path


def _file_name(label: str) -> str:
    """A class's name as a file's: 'traffic light' -> 'traffic_light'."""
    return ''.join(c if c.isalnum() or c in '-.' else '_' for c in label) or '_'


def check_out(out: Path, overwrite: bool) -> None:
    """Raise a ConfigError if ``out`` is a file, or holds what a prediction would overwrite.

    Args:
        out: The folder; it need not exist.
        overwrite: Whether what it holds of earlier predictions may be replaced.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f'--out {out} is a file.', expected='a folder, existing or not')
    held = [name for name in (*FOLDERS, AREAS) if (out / name).exists()]
    if held and not overwrite:
        raise ConfigError(f'--out {out} holds predictions already.', got=', '.join(held),
                          fix='name another folder, or add --overwrite to replace files of the '
                              'same names')
