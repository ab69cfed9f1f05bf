"""`IoUMetric`: one int64 confusion matrix for the data set, three int64 vectors per image.

Every number comes from integers that are summed exactly, so it is the same bits for any number
of processes. The arguments are mmsegmentation's, and ``out_dir``.
Letters: K classes, H W pixels.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, barrier, get_rank, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from terminaltables import AsciiTable

from ..errors import ConfigError, DataError, SegplugError, did_you_mean
from ..ops.confusion import confusion_matrix
from ..registry import METRICS
from . import outputs, scores


@dataclass(frozen=True)
class Row:
    """One image: its place in the data set, its file, and (3, K) int64 counts (true positives,
    false positives, false negatives), which are None without labels."""

    sample_idx: int
    file: str
    counts: np.ndarray | None


@METRICS.register_module()
class IoUMetric(BaseMetric):
    """IoU, accuracy, Dice, F-score, precision and recall, per class and mean, in percent.

    Args:
        ignore_index: Label value that is not scored.
        iou_metrics: Any of 'mIoU' (with accuracy), 'mDice', 'mFscore' (with precision and
            recall), for the table and the result; metrics.json holds all of them.
        nan_to_num: Fraction in [0, 1] that replaces nan before the mean; None leaves nan out.
        beta: Weight of recall in the F-score.
        collect_device: mmengine's; what is exchanged is small on either device.
        output_dir: mmsegmentation's folder for label PNGs, which lie in it directly.
        format_only: Write predictions for a server, score nothing, need no labels. Values are
            the ``label_ids`` of the data set's metainfo where it has them.
        prefix: Put before each key of the result, as ``prefix/mIoU``.
        out_dir: Folder for predictions/, metrics.json, confusion_matrix.npy and per_image.csv.
            Where it is given, ``output_dir`` has no effect.

    Attributes:
        matrix: (K, K) int64 of the last evaluation, rows ground truth, columns prediction.
        details: What metrics.json holds, of the last evaluation.
    """

    default_prefix = ''

    def __init__(self, ignore_index: int = 255, iou_metrics: Sequence[str] | str = ('mIoU',),
                 nan_to_num: float | None = None, beta: float = 1, collect_device: str = 'cpu',
                 output_dir: str | None = None, format_only: bool = False,
                 prefix: str | None = None, out_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.metrics = [iou_metrics] if isinstance(iou_metrics, str) else list(iou_metrics)
        for name in self.metrics:
            if name not in scores.COLUMNS:
                raise ConfigError(f'IoUMetric knows no metric {name!r}.', culprit=name,
                                  expected=f'any of {", ".join(scores.COLUMNS)}',
                                  fix=did_you_mean(name, scores.COLUMNS))
        if format_only and not (output_dir or out_dir):
            raise ConfigError('IoUMetric with format_only=True has no folder to write to.',
                              fix='give --out DIR, or out_dir', culprit='format_only')
        self.ignore_index, self.nan_to_num, self.beta = ignore_index, nan_to_num, beta
        self.format_only = format_only
        self.output_dir = None if out_dir else output_dir
        self.out_dir = Path(out_dir) if out_dir else None
        self.matrix: np.ndarray | None = None
        self.details: dict[str, float] = {}
        self._running: torch.Tensor | None = None
        self._partial: list[Path] = []

    @property
    def prediction_dir(self) -> Path | None:
        """Where the label PNGs go, if anywhere."""
        if self.out_dir is not None:
            return self.out_dir / 'predictions'
        return Path(self.output_dir) if self.output_dir else None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Score and write a batch.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_sem_seg.data`` (1, H, W) integer, unless
                ``format_only`` ``gt_sem_seg.data`` (1, H, W) integer, and metainfo.

        Raises:
            DataError: A value out of range, naming the file; or an image without a label.
            ShapeError: Prediction and label differ in size.
        """
        for sample in data_samples:
            pred = _map_of(sample['pred_sem_seg'])
            index = int(sample.get('sample_idx', -1))
            file = sample.get('img_path') or f'sample_{index}'
            counted = None if self.format_only else self._count(pred, sample, file)
            if self.prediction_dir is not None:
                self._write_partial(pred.cpu().numpy(), sample)
            self.results.append(Row(index, file, counted))

    def _count(self, pred: torch.Tensor, sample: dict, file: str) -> np.ndarray:
        """Add one image to the matrix; returns its (3, K) counts."""
        if 'gt_sem_seg' not in sample:
            raise DataError(f'{file} has no label to score against.',
                            fix='use --format-only to write predictions without scoring')
        label = _map_of(sample['gt_sem_seg']).to(pred.device)
        classes = self.dataset_meta['classes']
        try:
            matrix = confusion_matrix(pred, label, len(classes), self.ignore_index)
        except SegplugError as error:
            against = f' against {sample["seg_map_path"]}' if sample.get('seg_map_path') else ''
            error.what = f'Scoring {file}{against}: {error.what}'
            raise
        self._running = matrix if self._running is None else self._running + matrix
        return np.stack(scores.counts(matrix.cpu().numpy()))

    def _write_partial(self, labels: np.ndarray, sample: dict) -> None:
        """Write under a provisional name; which names are unique is known when all are seen."""
        name = f'{get_rank()}-{len(self._partial)}.png'
        path = self.prediction_dir / '.partial' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(outputs.label_png(self._file_values(labels, sample)))
        self._partial.append(path)

    def _file_values(self, labels: np.ndarray, sample: dict) -> np.ndarray:
        label_ids = self.dataset_meta.get('label_ids')
        if self.format_only and label_ids is not None:
            return np.asarray(label_ids)[labels]
        if (self.format_only or self.output_dir) and sample.get('reduce_zero_label'):
            return labels.astype(np.int32) + 1  # back to the values of the label files
        return labels

    def evaluate(self, size: int) -> dict[str, float]:
        """Join all processes and return the result, the same on each of them.

        Args:
            size: Number of images in the data set; each must have been seen exactly once.

        Returns:
            aAcc and, for each of ``iou_metrics``, the means, in percent, unrounded; empty
            with ``format_only``.

        Raises:
            DataError: An image came twice or not at all.
        """
        own, partial, running = list(self.results), self._partial, self._running
        self.results.clear()
        self._partial, self._running = [], None
        gathered = [row for part in all_gather_object(own) for row in part]
        rows = sorted(gathered, key=lambda row: (row.sample_idx, row.file))
        _check_once(rows, size)
        self._publish(own, partial, rows)
        if self.format_only:
            self._say_what_was_written()
            return {}
        num_classes = len(self.dataset_meta['classes'])
        if running is None:
            running = torch.zeros((num_classes, num_classes), dtype=torch.int64)
        all_reduce(running)
        self.matrix = running.cpu().numpy()
        metrics = self.compute_metrics(rows)
        if self.out_dir is not None and is_main_process():
            self._write_files(rows)
        return {f'{self.prefix}/{k}' if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list[Row]) -> dict[str, float]:
        """The means of ``self.matrix``; logs the table of classes and fills ``self.details``."""
        hit, false, missed = scores.counts(self.matrix)
        columns = scores.class_scores(hit, false, missed, self.beta)
        if self.nan_to_num is not None:
            columns = {k: np.nan_to_num(v, nan=self.nan_to_num) for k, v in columns.items()}
        columns = {k: 100 * v for k, v in columns.items()}
        means = {f'm{k}': float(scores.mean(v)) for k, v in columns.items()}
        classes = self.dataset_meta['classes']
        per_class = {f'{k}.{name}': float(x) for k, v in columns.items()
                     for name, x in zip(classes, v, strict=True)}
        accuracy = 100 * float(scores.pixel_accuracy(hit, missed))
        self.details = dict(aAcc=accuracy, **means, **per_class)
        chosen = list(dict.fromkeys(c for m in self.metrics for c in scores.COLUMNS[m]))
        self._log_table({c: columns[c] for c in chosen}, hit + false + missed)
        return dict(aAcc=accuracy, **{f'm{c}': means[f'm{c}'] for c in chosen})

    def _log_table(self, columns: dict[str, np.ndarray], pixels: np.ndarray) -> None:
        classes = self.dataset_meta['classes']
        lines = [['Class', *columns]]
        lines += [[name, *(f'{v[k]:.2f}' for v in columns.values())]
                  for k, name in enumerate(classes)]
        lines.append(['mean', *(f'{float(scores.mean(v)):.2f}' for v in columns.values())])
        table = AsciiTable(lines)
        table.inner_footing_row_border = True
        table.justify_columns = dict.fromkeys(range(1, len(lines[0])), 'right')
        print_log(f'Per class, in percent:\n{table.table}', 'current')
        absent = [name for name, n in zip(classes, pixels, strict=True) if n == 0]
        if absent:
            rule = ('left out of the mean' if self.nan_to_num is None
                    else f'counted as {100 * self.nan_to_num:.2f}')
            print_log(f'In neither labels nor predictions, {rule}: {", ".join(absent)}', 'current')

    def _publish(self, own: list[Row], partial: list[Path], rows: list[Row]) -> None:
        """Give this process's predictions their names, which depend on all images."""
        folder = self.prediction_dir
        if folder is None:
            return
        names = {(row.sample_idx, row.file): name for row, name in
                 zip(rows, outputs.output_names([row.file for row in rows]), strict=True)}
        for row, path in zip(own, partial, strict=True):
            target = folder / f'{names[row.sample_idx, row.file]}.png'
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        barrier()
        if not is_main_process():
            return
        leftover = folder / '.partial'
        if leftover.is_dir() and not any(leftover.iterdir()):
            leftover.rmdir()
        strangers = outputs.strangers(folder, names.values())
        if self.format_only and self.out_dir is not None:
            strangers += [f for f in outputs.SCORE_FILES if (self.out_dir / f).exists()]
        if strangers:
            print_log(f'{self.out_dir or folder} holds {len(strangers)} files of an earlier run, '
                      f'which are left there: {", ".join(strangers[:4])}'
                      + (' ...' if len(strangers) > 4 else ''), 'current', logging.WARNING)

    def _write_files(self, rows: list[Row]) -> None:
        hit, false, missed = (np.stack([row.counts[i] for row in rows]) for i in range(3))
        files = outputs.relative_names([row.file for row in rows])
        table = outputs.per_image_table(files, hit, false, missed, self.dataset_meta['classes'])
        contents = (outputs.metrics_json(self.details), outputs.matrix_npy(self.matrix),
                    table.to_csv(index=False, lineterminator='\n').encode())
        for name, data in zip(outputs.SCORE_FILES, contents, strict=True):
            outputs.atomic_write(self.out_dir / name, data)
        print_log(f'Predictions and scores are in {self.out_dir}', 'current')

    def _say_what_was_written(self) -> None:
        if self.dataset_meta.get('label_ids') is not None:
            print_log(f'Label ids for the server are in {self.prediction_dir}', 'current')
        else:
            print_log(f'The data set names no label_ids: the files in {self.prediction_dir} hold '
                      'plain class ids (plus one where reduce_zero_label is set)', 'current',
                      logging.WARNING)


def _map_of(field) -> torch.Tensor:
    """(H, W) of a field of a sample, (1, H, W) in a dict or a PixelData."""
    return field['data'].squeeze(0)


def _check_once(rows: list[Row], size: int) -> None:
    """Raise unless ``rows``, which are in order, are ``size`` different images."""
    for one, other in zip(rows, rows[1:], strict=False):
        if (one.sample_idx, one.file) == (other.sample_idx, other.file):
            raise DataError(f'{one.file} (sample {one.sample_idx}) was scored more than once.',
                            expected='each image on exactly one process',
                            fix='use the test sampler of this package, which repeats no image')
    if len(rows) != size:
        raise DataError('Not every image of the data set was scored.', got=f'{len(rows)} images',
                        expected=f'{size}')
