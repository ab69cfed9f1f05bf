"""The files of ``--out DIR``: names, values and bytes.

Nothing half-written ever has its final name, and the same results give the same bytes.
"""

import io
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..ops.confusion import check_prediction
from . import scores

if TYPE_CHECKING:
    import pandas as pd

# Beside predictions/ in the folder of ``--out``.
SCORE_FILES = ('metrics.json', 'confusion_matrix.npy', 'per_image.csv')


def atomic_write(path: Path, data: bytes) -> None:
    """Write to a temporary name in the same folder, sync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with open(temporary, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def label_png(labels: np.ndarray) -> bytes:
    """(H, W) non-negative integers -> a PNG of one channel, 8 bit where the values allow."""
    dtype = np.uint8 if labels.size == 0 or labels.max() < 256 else np.uint16
    return cv2.imencode('.png', labels.astype(dtype, copy=False))[1].tobytes()


def file_values(pred: np.ndarray, num_classes: int, label_ids: Sequence[int] | None = None,
                shift: int = 0) -> np.ndarray:
    """What a prediction's file shall hold.

    Args:
        pred: (H, W) integer class ids.
        num_classes: K.
        label_ids: The value of each class in the file; None for the class ids themselves.
        shift: Added to the class ids, 1 where the label files count from 1.

    Raises:
        DataError: A prediction is not in [0, K).
    """
    check_prediction(pred, num_classes)
    if label_ids is not None:
        ids = np.asarray(label_ids)
        return ids.astype(np.uint8 if ids.max() < 256 else ids.dtype)[pred]
    return pred.astype(np.int32) + shift if shift else pred


def relative_names(files: Sequence[str]) -> list[str]:
    """The files as seen from the folder they have in common, with forward slashes."""
    paths = [os.path.abspath(f) for f in files]
    root = os.path.commonpath([os.path.dirname(p) for p in paths]) if paths else ''
    return [PurePath(os.path.relpath(p, root)).as_posix() for p in paths]


def output_names(files: Sequence[str]) -> list[str]:
    """A unique name without suffix for each image's output.

    The stem, as mmsegmentation has it; where stems clash, all files keep their sub-folders
    below the folder they have in common, then their suffix, and a number comes last.
    """
    relative = relative_names(files)
    numbered = [f'{name}_{i}' for i, name in enumerate(relative)]
    for names in ([PurePath(f).stem for f in relative],
                  [PurePath(f).with_suffix('').as_posix() for f in relative], relative):
        if len(set(names)) == len(names):
            return names
    return numbered


def strangers(folder: Path, names: Iterable[str]) -> list[str]:
    """The PNG files below ``folder``, relative to it and sorted, that are none of ``names``."""
    own = set(names)
    found = (p.relative_to(folder).as_posix() for p in folder.rglob('*.png'))
    return sorted(f for f in found if f.removesuffix('.png') not in own)


def metrics_json(values: dict[str, float]) -> bytes:
    """Unrounded numbers; nan becomes null, which is what JSON has."""
    plain = {k: None if math.isnan(v) else v for k, v in values.items()}
    return (json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + '\n').encode()


def matrix_npy(matrix: np.ndarray) -> bytes:
    """(K, K) int64 in NumPy's file format."""
    buffer = io.BytesIO()
    np.save(buffer, matrix)
    return buffer.getvalue()


def per_image_table(files: Sequence[str], hit: np.ndarray, false: np.ndarray, missed: np.ndarray,
                    classes: Sequence[str]) -> 'pd.DataFrame':
    """One row per image: file, mIoU, aAcc, IoU per class in percent, and the counts.

    Args:
        files: I names.
        hit, false, missed: (I, K) int64.
        classes: K names.

    Returns:
        Columns ``file``, ``mIoU``, ``aAcc``, ``IoU.<class>``, ``tp.<class>``, ``fp.<class>``,
        ``fn.<class>``; from the counts a reader can draw any score and any bootstrap.
    """
    iou = scores.class_scores(hit, false, missed)['IoU']
    columns = dict(file=list(files), mIoU=100 * scores.mean(iou),
                   aAcc=100 * scores.pixel_accuracy(hit, missed))
    for key, values in (('IoU', 100 * iou), ('tp', hit), ('fp', false), ('fn', missed)):
        columns.update({f'{key}.{name}': values[:, k] for k, name in enumerate(classes)})
    import pandas as pd
    return pd.DataFrame(columns)
