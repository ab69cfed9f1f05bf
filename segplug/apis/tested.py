"""The scores in a folder of ``segplug test --out`` or ``segplug score --out``, read and checked.

Files may have been edited, cut off or be of two tests, so they are compared with each other.
Letters: I images, K classes.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..evaluation import boundary_metric, scores
from ..evaluation.outputs import SCORE_FILES
from . import run_record
from .matrix_files import read_matrix
from .per_image import AGAIN, ImageCounts, read_counts

_METRICS, _MATRIX, _ = SCORE_FILES


@dataclass(frozen=True)
class Tested:
    """One test.

    Attributes:
        folder: Where it was read from.
        metrics: metrics.json, and boundary_metrics.json where run.json says that it is of the same
            test; nan for null.
        matrix: (K, K) int64, rows ground truth, columns prediction.
        images: What was right and wrong in each image.
        record: run.json, see `run_record.read`; None without one, or with that of another test.
        remark: A sentence about what is missing, or ''.
    """

    folder: Path
    metrics: dict[str, float]
    matrix: np.ndarray
    images: ImageCounts
    record: dict | None
    remark: str = ''

    @property
    def classes(self) -> tuple[str, ...]:
        return self.images.classes

    @property
    def num_views(self) -> int | None:
        """How many scales and mirror images of each image were averaged; None if not known."""
        scales = self.record and self.record['scales']
        return len(scales) * (2 if self.record['flip'] else 1) if scales else None

    @property
    def mode(self) -> str:
        """How the images were seen, in words; '' if it is not known."""
        if self.num_views is None:
            return ''
        return 'multi-scale' if self.num_views > 1 else 'single-scale'

    def image_scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """mIoU (I,), pixel accuracy (I,) and IoU (I, K) of each image, in percent or nan."""
        hit, false, missed = np.moveaxis(self.images.counts, 1, 0)
        iou = scores.class_scores(hit, false, missed)['IoU']
        return 100 * scores.mean(iou), 100 * scores.pixel_accuracy(hit, missed), 100 * iou


def read_tested(folder: str | Path) -> Tested:
    """Read the files of a test.

    Raises:
        DataError: One is missing or damaged, or they are not of one test.
    """
    folder = Path(folder)
    images = read_counts(folder)
    metrics, matrix = _metrics(folder, images.classes), _matrix(folder, images)
    record = run_record.read(folder)
    remark = ''
    if record is None:
        remark = ('This folder has no run.json, which says how and with what was tested, so '
                  'config, checkpoint, colours and images are not known: '
                  f'{AGAIN}, or give the config with --config.')
    elif not run_record.is_of_these_scores(record, folder):
        record, remark = None, ('run.json is of another test than the scores in this folder, and '
                                f'is not used: {AGAIN}.')
    elif record['classes'] and tuple(record['classes']) != images.classes:
        raise DataError(f'{folder / run_record.FILE} names other classes than per_image.csv.',
                        got=f'{len(record["classes"])} and {len(images.classes)} classes',
                        fix=AGAIN)
    if record is not None and run_record.is_of_this_test(record, folder, boundary_metric.FILE_NAME):
        metrics |= _numbers(folder / boundary_metric.FILE_NAME)
    return Tested(folder, metrics, matrix, images, record, remark)


def _metrics(folder: Path, classes: tuple[str, ...]) -> dict[str, float]:
    path = folder / _METRICS
    if not path.is_file():
        raise DataError(f'{folder} holds no {_METRICS}.', expected='a folder that segplug test '
                        '--out has written', fix=AGAIN)
    found = _numbers(path)
    interval = ('mIoU_low', 'mIoU_high') if {'mIoU_low', 'mIoU_high'} & set(found) else ()
    for name in ('mIoU', 'aAcc', *interval, *(f'IoU.{name}' for name in classes)):
        if name not in found:
            raise DataError(f'{path} lacks {name}.', got=f'{len(found)} numbers', expected=
                            f'those of the {len(classes)} classes of per_image.csv', fix=AGAIN)
    return found


def _numbers(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path} cannot be read.', got=error, expected='JSON text', fix=AGAIN
                        ) from error
    if not isinstance(found, dict) or not all(map(_is_score, found.values())):
        raise DataError(f'{path} does not hold numbers by name.', expected='{"mIoU": 61.2, ...}',
                        fix=AGAIN)
    return {key: math.nan if value is None else float(value) for key, value in found.items()}


def _is_score(value) -> bool:
    """Whether it is a number that a float holds, nan, or None."""
    return value is None or isinstance(value, int | float) and not isinstance(value, bool) \
        and (value != value or abs(value) < 1e300)


def _matrix(folder: Path, images: ImageCounts) -> np.ndarray:
    path, count = folder / _MATRIX, len(images.classes)
    if not path.is_file():
        raise DataError(f'{folder} holds no {_MATRIX}.', fix=AGAIN)
    matrix = read_matrix(path, AGAIN)
    if matrix.shape != (count, count):
        raise DataError(f'{path} does not fit per_image.csv, which has {count} classes.',
                        got=matrix.shape, expected=(count, count), fix=AGAIN)
    hit, false, missed = images.counts.sum(axis=0)
    if not all(np.array_equal(a, b) for a, b in zip(scores.counts(matrix), (hit, false, missed),
                                                    strict=True)):
        raise DataError(f'{path} and per_image.csv are not of one test: their counts differ.',
                        fix=AGAIN)
    return matrix
