"""Score a folder of predictions against a folder of labels, without a model.

The metrics are those of ``segplug test`` and see the same maps in the same order, so numbers and
files are the same bytes. Files are read by threads, which decode side by side.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import MMLogger, print_log

from ..datasets.suffixes import as_tuple
from ..errors import ConfigError, DataError
from ..evaluation import BoundaryIoUMetric, IoUMetric
from ..evaluation.boundary_metric import FILE_NAME as BOUNDARY_FILE
from . import run_record, score_files, score_labelling
from .in_order import in_order
from .results import Metrics
from .score_files import Pair
from .score_values import KINDS, Labelling, kind_of, meaning, read_ids, shown


class FileIoUMetric(IoUMetric):
    """`IoUMetric` that writes its scores only: the predictions are files already."""

    prediction_dir = None


@dataclass(frozen=True)
class Reader:
    """Reads the two maps of a pair as class ids.

    Attributes:
        labelling: What the values mean.
        pred_table, label_table: (65536,) int32, file value -> class id, ``ignored`` or -1.
    """

    labelling: Labelling
    pred_table: np.ndarray
    label_table: np.ndarray

    def __call__(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) integer prediction and label.

        Raises:
            DataError: A file cannot be read, the two differ in size, a value means nothing, or
                the prediction has no class where the label has one.
        """
        values = read_ids(pair.pred, 'prediction')
        label_values = read_ids(pair.label, 'label')
        if values.shape != label_values.shape:
            raise DataError(f'The prediction {pair.pred} differs in size from its label '
                            f'{pair.label}.', got=f'{values.shape} (H, W)',
                            expected=f'{label_values.shape}',
                            fix='write predictions at the size of the labels')
        pred = meaning(values, self.pred_table, pair.pred, 'prediction')
        label = meaning(label_values, self.label_table, pair.label, 'label')
        none = pred == self.labelling.ignored
        if none.any():
            lost = none & (label != self.labelling.ignored)
            if lost.any():
                raise DataError(
                    f'The prediction {pair.pred} has no class in {int(lost.sum())} scored pixels.',
                    got=f'the values {shown(np.unique(values[lost]).tolist())}',
                    expected='one of the classes wherever the label has one',
                    fix='predict a class in every pixel, or check --pred-values')
            pred[none] = 0  # any class: the label is ignored there
        return pred, label


def score(pred_dir: str, gt_dir: str, *, dataset: str | None = None, config: str | None = None,
          classes: str | None = None, out: str | None = None, boundary: bool = False,
          ignore_index: int | None = None, reduce_zero_label: bool = False,
          pred_values: str | None = None, label_values: str | None = None,
          pred_suffix: str | None = None, label_suffix: str | None = None,
          names: str | None = None, allow_extra: bool = False,
          num_threads: int | None = None, options: dict | None = None,
          command: Sequence[str] | None = None) -> Metrics:
    """Score prediction files; returns the metrics, in percent, unrounded.

    Args:
        pred_dir, gt_dir: Folders, searched with their sub-folders.
        dataset, config, classes: One of them says what the classes are: a registered data set
            ('cityscapes'), a config (its test set and metrics), or names, see
            `class_names.class_table`.
        out: Folder for metrics.json, confusion_matrix.npy and per_image.csv, and run.json, which
            says what was scored.
        boundary: Boundary IoU too.
        ignore_index: Label value that is not scored; by default the data set's, else 255.
        reduce_zero_label: Label value 0 is no class, and the others move down by one.
        pred_values, label_values: 'class-ids' or 'label-ids'; by default found out, and logged.
        pred_suffix, label_suffix: How the names end that count.
        names: Text file with the names to score, one a line.
        allow_extra: Leave predictions without a label unscored instead of refusing them.
        num_threads: Threads that read files; by default up to four.
        options: Overrides of the config, as in `load_config`.
        command: The words that were typed, for run.json.

    Raises:
        ConfigError: What to score was not said, or nothing tells what the values mean.
        DataError: A file is missing, extra, of another size, or holds values of no meaning.
    """
    labelling, settings = _labelling(dataset, config, classes, ignore_index, reduce_zero_label,
                                     options)
    if num_threads is not None and num_threads < 1:
        raise ConfigError(f'--threads {num_threads} reads nothing.', expected='1 or more')
    pairs = _pairs(pred_dir, gt_dir, labelling, pred_suffix, label_suffix, names, allow_extra)
    reader = _reader(pairs, labelling, pred_values, label_values)
    _make_folder(out)
    metrics = _metrics(labelling, settings, boundary, out)
    _warn_of_older_scores(metrics, out)
    _feed(metrics, pairs, reader, num_threads or min(4, os.cpu_count() or 1))
    results = [metric.evaluate(len(pairs)) for metric in metrics]
    if out is not None:
        tables = dict(prediction=reader.pred_table, label=reader.label_table)
        run_record.write(out, **run_record.of_files(labelling, pairs, tables, metrics, config,
                                                    command))
    return Metrics.of({key: value for result in results for key, value in result.items()}, metrics)


def _labelling(dataset: str | None, config: str | None, classes: str | None,
               ignore_index: int | None, reduce_zero_label: bool, options: dict | None
               ) -> tuple[Labelling, list[dict]]:
    if sum(given is not None for given in (dataset, config, classes)) != 1:
        raise ConfigError('What the classes are must be said once.',
                          expected='one of --dataset, --config and --classes')
    if config is not None:
        return score_labelling.of_config(config, ignore_index, reduce_zero_label, options)
    if dataset is not None:
        return score_labelling.of_dataset(dataset, ignore_index, reduce_zero_label), []
    return score_labelling.of_classes(classes, ignore_index, reduce_zero_label), []


def _make_folder(out: str | None) -> None:
    """Before anything is read, so that no score is lost for want of a place."""
    if out is None:
        return
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = 'is a file' if Path(out).is_file() else 'cannot be made'
        raise ConfigError(f'--out {out} {what}.', got=error.strerror,
                          expected='a folder, existing or not') from error


def _warn_of_older_scores(metrics: list, out: str | None) -> None:
    if out is not None and (Path(out) / BOUNDARY_FILE).exists() \
            and not any(isinstance(metric, BoundaryIoUMetric) for metric in metrics):
        print_log(f'{out} holds {BOUNDARY_FILE} of an earlier run, which is left there',
                  'current', logging.WARNING)


def _pairs(pred_dir: str, gt_dir: str, labelling: Labelling, pred_suffix: str | None,
           label_suffix: str | None, names: str | None, allow_extra: bool) -> list[Pair]:
    """All pairs, in the order in which the data set lists its images."""
    for folder, what in ((pred_dir, 'predictions'), (gt_dir, 'labels')):
        if not Path(folder).is_dir():
            raise DataError(f'The folder of {what} {folder} does not exist.',
                            got=score_files.scan.nearby(folder), fix='correct the path')
    labels = score_files.find_labels(gt_dir, labelling.seg_map_suffix, label_suffix, names)
    endings = [*as_tuple(labelling.img_suffix),
               *score_files.label_endings(labelling.seg_map_suffix)]
    predictions = score_files.find_predictions(pred_dir, endings, pred_suffix)
    matched = score_files.pair(predictions, labels, allow_extra)
    images = score_files.scan.with_suffix(labelling.img_folder, list(matched),
                                          labelling.img_suffix)
    pairs = [Pair(image if labelling.img_suffix else name + label.suffix, pred, label)
             for (name, (pred, label)), image in zip(matched.items(), images, strict=True)]
    unscored = len(predictions) - len(pairs)
    print_log(f'{len(pairs)} labels below {gt_dir}, as {pairs[0].label.name}, each with a '
              f'prediction below {pred_dir}, as {pairs[0].pred.name}'
              + (f'; {unscored} predictions without a label are left unscored' if unscored else ''),
              'current')
    return sorted(pairs, key=lambda pair: pair.name)


def _reader(pairs: list[Pair], labelling: Labelling, pred_values: str | None,
            label_values: str | None) -> Reader:
    """Decide what the values mean, and say so."""
    print_log(f'{labelling.num_classes} classes, from {labelling.source}; label value '
              f'{labelling.ignore_index}' + (' and 0 are' if labelling.reduce_zero_label
                                             else ' is') + ' ignored', 'current')
    kinds = []
    for what, given in (('prediction', pred_values), ('label', label_values)):
        if given not in (None, *KINDS):
            raise ConfigError(f'The {what} files cannot hold {given!r}.',
                              expected=' or '.join(KINDS))
        files = [pair.pred if what == 'prediction' else pair.label for pair in pairs]
        kind, why = kind_of(files, what, given, labelling)
        print_log(f'The {what} files hold {kind}: {why}', 'current')
        kinds.append(kind)
    return Reader(labelling, labelling.prediction_table(kinds[0]), labelling.label_table(kinds[1]))


def _metrics(labelling: Labelling, settings: list[dict], boundary: bool, out: str | None
             ) -> list[IoUMetric | BoundaryIoUMetric]:
    """The metrics of the config, or the usual one; Boundary IoU once if asked for."""
    known = {'IoUMetric': FileIoUMetric, 'BoundaryIoUMetric': BoundaryIoUMetric}
    settings = list(settings)
    if not any(one['type'] == 'IoUMetric' for one in settings):
        settings.insert(0, dict(type='IoUMetric'))
    if boundary and not any(one['type'] == 'BoundaryIoUMetric' for one in settings):
        settings.append(dict(type='BoundaryIoUMetric'))
    metrics = []
    for one in settings:
        arguments = {k: v for k, v in one.items()
                     if k not in ('type', 'output_dir', 'format_only')}
        arguments.update(ignore_index=labelling.ignored, out_dir=out)
        metrics.append(known[one['type']](**arguments))
        metrics[-1].dataset_meta = labelling.metainfo
    return metrics


def _feed(metrics: Iterable[IoUMetric | BoundaryIoUMetric], pairs: list[Pair], reader: Reader,
          num_threads: int) -> None:
    from ..engine.progress import Progress
    with Progress('score', len(pairs), MMLogger.get_current_instance()) as progress:
        for index, (pred, label) in enumerate(in_order(reader, pairs, num_threads)):
            pair = pairs[index]
            sample = dict(sample_idx=index, img_path=pair.name, seg_map_path=str(pair.label),
                          pred_sem_seg=dict(data=torch.from_numpy(pred)[None]),
                          gt_sem_seg=dict(data=torch.from_numpy(label)[None]))
            for metric in metrics:
                metric.process({}, [sample])
            progress.reach(index + 1)
