"""`IoUMetric`: one int64 confusion matrix for the data set, three int64 vectors per image.

Every number comes from integers that are summed exactly, so it is the same bits for any number
of processes. The arguments are mmsegmentation's, and ``out_dir``, ``num_worst``, ``interval``.
Letters: K classes, H W pixels.
"""

import functools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, barrier, get_rank, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..errors import ConfigError, DataError, did_you_mean
from ..registry import METRICS
from . import bootstrap, outputs, scores, tables, writing
from .rows import Row, columns, in_order
from .summary import Summary, groups_of, summarise
from .tally import Tally


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
        num_worst: How many images of lowest mIoU are logged.
        interval: Level of the bootstrap interval of mIoU over images; None computes none. There
            is none with ``nan_to_num`` either, which makes mIoU another score.

    Attributes:
        matrix: (K, K) int64 of the last evaluation, rows ground truth, columns prediction.
        details: What metrics.json holds, of the last evaluation.
    """

    default_prefix = ''

    def __init__(self, ignore_index: int = 255, iou_metrics: Sequence[str] | str = ('mIoU',),
                 nan_to_num: float | None = None, beta: float = 1, collect_device: str = 'cpu',
                 output_dir: str | None = None, format_only: bool = False,
                 prefix: str | None = None, out_dir: str | None = None, num_worst: int = 0,
                 interval: float | None = 0.95) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.metrics = [iou_metrics] if isinstance(iou_metrics, str) else list(iou_metrics)
        for name in self.metrics:
            if name not in scores.COLUMNS:
                raise ConfigError(f'IoUMetric knows no metric {name!r}.', culprit=name,
                                  expected=f'any of {", ".join(scores.COLUMNS)}',
                                  fix=did_you_mean(name, scores.COLUMNS))
        _check_settings(format_only, output_dir or out_dir, num_worst, interval)
        self.ignore_index, self.nan_to_num, self.beta = ignore_index, nan_to_num, beta
        self.format_only, self.num_worst, self.interval = format_only, num_worst, interval
        self.output_dir = None if out_dir else output_dir
        self.out_dir = Path(out_dir) if out_dir else None
        self.matrix: np.ndarray | None = None
        self.details: dict[str, float] = {}
        self._tally: Tally | None = None
        self._writer: writing.PredictionWriter | None = None

    @property
    def prediction_dir(self) -> Path | None:
        """Where the label PNGs go, if anywhere."""
        if self.out_dir is not None:
            return self.out_dir / 'predictions'
        return Path(self.output_dir) if self.output_dir else None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Score a batch and have its predictions written.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_sem_seg.data`` (1, H, W) integer, unless
                ``format_only`` ``gt_sem_seg.data`` (1, H, W) integer, and metainfo. May hold
                ``pred_is_finite`` () bool, False where the network gave nan.

        Raises:
            DataError: A value out of range or nan, an image without a label, or a file that
                could not be written; names the file. With predictions on an accelerator, and
                for files, it may be an earlier image's, or come from `evaluate`.
            ShapeError: Prediction and label differ in size.
        """
        if self._tally is None:
            self._tally = Tally(len(self.dataset_meta['classes']), self.ignore_index)
        for sample in data_samples:
            pred = _map_of(sample['pred_sem_seg'])
            index = int(sample.get('sample_idx', -1))
            file = sample.get('img_path') or f'sample_{index}'
            label = None if self.format_only else _label_of(sample, file)
            self.results += self._tally.add(index, file, pred, label, sample.get('seg_map_path'),
                                            sample.get('pred_is_finite'))
            if self.prediction_dir is not None:
                self._write(file, pred, sample)

    def _write(self, file: str, pred: torch.Tensor, sample: dict) -> None:
        if self._writer is None:
            self._writer = writing.PredictionWriter(self.prediction_dir, get_rank())
        classes, label_ids = (self.dataset_meta.get(k) for k in ('classes', 'label_ids'))
        plain = not (self.format_only or self.output_dir)
        self._writer.put(file, pred, functools.partial(
            outputs.file_values, num_classes=len(classes),
            label_ids=label_ids if self.format_only else None,
            # back to the values of the label files
            shift=0 if plain else int(bool(sample.get('reduce_zero_label')))))

    def evaluate(self, size: int) -> dict[str, float]:
        """Join all processes and return the result, the same on each of them.

        Args:
            size: Number of images in the data set; each must have been seen exactly once.

        Returns:
            aAcc and, for each of ``iou_metrics``, the means, in percent, unrounded; empty
            with ``format_only``.

        Raises:
            DataError: An image came twice or not at all, or what `process` had left to say.
        """
        own, tally, writer = list(self.results), self._tally, self._writer
        self.results.clear()
        self._tally = self._writer = None
        tally = tally or Tally(len(self.dataset_meta['classes']), self.ignore_index)
        own += tally.settle()
        partial = writer.finish() if writer else []
        rows = in_order(all_gather_object(own), size)
        self._publish(own, partial, rows)
        if self.format_only:
            self._say_what_was_written()
            return {}
        matrix = tally.matrix()
        all_reduce(matrix)
        self.matrix = matrix.cpu().numpy()
        metrics = self.compute_metrics(rows)
        if self.out_dir is not None and is_main_process():
            self._write_files(rows)
        return {f'{self.prefix}/{k}' if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list[Row]) -> dict[str, float]:
        """The means of ``self.matrix``; logs them and fills ``self.details``."""
        classes = self.dataset_meta['classes']
        groups = groups_of(classes, self.dataset_meta.get('categories'))
        summary = summarise(self.matrix, classes, beta=self.beta, nan_to_num=self.nan_to_num,
                            groups=groups)
        interval = self._interval(results)
        self.details = summary.flat()
        if interval is not None:
            self.details.update(mIoU_low=100 * interval.low, mIoU_high=100 * interval.high)
        chosen = list(dict.fromkeys(c for m in self.metrics for c in scores.COLUMNS[m]))
        self._log(summary, interval, chosen, results)
        return dict(aAcc=summary.accuracy, **{f'm{c}': summary.means[c] for c in chosen})

    def _interval(self, rows: list[Row]) -> bootstrap.Interval | None:
        if self.interval is None or self.nan_to_num is not None or not rows:
            return None
        return bootstrap.interval(np.stack([row.counts for row in rows]), level=self.interval)

    def _log(self, summary: Summary, interval: bootstrap.Interval | None, chosen: list[str],
             rows: list[Row]) -> None:
        lines = [tables.class_table(summary, chosen),
                 tables.absent_line(summary, self.nan_to_num), tables.category_line(summary),
                 tables.mean_line(summary, interval, self.interval)]
        if self.num_worst and rows:
            lines.append(tables.worst_table(outputs.relative_names([row.file for row in rows]),
                                            *columns(rows), summary.classes, self.num_worst))
        for line in lines:
            if line is not None:
                print_log(line, 'current')

    def _publish(self, own: list[Row], partial: list[Path], rows: list[Row]) -> None:
        """Give this process's predictions their names, which depend on all images."""
        folder = self.prediction_dir
        if folder is None:
            return
        names = {(row.sample_idx, row.file): name for row, name in
                 zip(rows, outputs.output_names([row.file for row in rows]), strict=True)}
        writing.publish(folder, {path: names[row.sample_idx, row.file]
                                 for row, path in zip(own, partial, strict=True)})
        barrier()
        if not is_main_process():
            return
        strangers = writing.tidy(folder, names.values())
        if self.format_only and self.out_dir is not None:
            strangers += [f for f in outputs.SCORE_FILES if (self.out_dir / f).exists()]
        if strangers:
            print_log(f'{self.out_dir or folder} holds {len(strangers)} files of an earlier run, '
                      f'which are left there: {", ".join(strangers[:4])}'
                      + (' ...' if len(strangers) > 4 else ''), 'current', logging.WARNING)

    def _write_files(self, rows: list[Row]) -> None:
        files = outputs.relative_names([row.file for row in rows])
        table = outputs.per_image_table(files, *columns(rows), self.dataset_meta['classes'])
        contents = (outputs.metrics_json(self.details), outputs.matrix_npy(self.matrix),
                    # Names of files may be no UTF-8; the bytes of the disk then.
                    table.to_csv(index=False, lineterminator='\n').encode(
                        'utf-8', 'surrogateescape'))
        for name, data in zip(outputs.SCORE_FILES, contents, strict=True):
            outputs.atomic_write(self.out_dir / name, data)
        what = 'Scores' if self.prediction_dir is None else 'Predictions and scores'
        print_log(f'{what} are in {self.out_dir}', 'current')

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


def _label_of(sample: dict, file: str) -> torch.Tensor:
    if 'gt_sem_seg' not in sample:
        raise DataError(f'{file} has no label to score against.',
                        fix='use --format-only to write predictions without scoring')
    return _map_of(sample['gt_sem_seg'])


def _check_settings(format_only: bool, folder: str | None, num_worst: int,
                    interval: float | None) -> None:
    if format_only and not folder:
        raise ConfigError('IoUMetric with format_only=True has no folder to write to.',
                          fix='give --out DIR, or out_dir', culprit='format_only')
    if isinstance(num_worst, bool) or not isinstance(num_worst, int) or num_worst < 0:
        raise ConfigError('num_worst of IoUMetric is a number of images.', got=repr(num_worst),
                          expected='0 or more', culprit='num_worst')
    if interval is not None and not 0 < interval < 1:
        raise ConfigError('interval of IoUMetric is a level between 0 and 1, or None.',
                          got=repr(interval), fix='write 0.95 for 95 %', culprit='interval')
    if format_only and num_worst:
        print_log('num_worst of IoUMetric has no effect with format_only, which scores nothing.',
                  'current', logging.WARNING)
