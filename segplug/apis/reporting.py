"""The report of a test: one HTML file with everything in it, from the folder of ``--out``.

Letters: I images, K classes.
"""

import contextlib
import os
from pathlib import Path

import numpy as np

from ..errors import ConfigError, DataError, OutputError, SegplugError
from ..evaluation.outputs import atomic_write
from ..report.run_page import ImageScore, Mode, RunPage, run_page
from ..report.shots import Shot
from . import run_record
from .per_image import match
from .report_parts import (
    Report,
    config_text,
    facts_of,
    palette_of,
    samples_of,
    title_of,
    training_log,
    views_of,
)
from .scored_samples import ScoredSamples
from .tested import Tested, read_tested
from .tested_samples import Samples

_NUM_LOWEST = 3  # classes that a picture names


def report(out_dir: str | os.PathLike, *, also: str | os.PathLike | None = None,
           out: str | os.PathLike | None = None, num: int = 20, config: str | None = None,
           options: dict | None = None, data_root: str | None = None,
           training: str | os.PathLike | None = None,
           image_dir: str | os.PathLike | None = None) -> Report:
    """Write a page about a test.

    Args:
        out_dir: Folder that ``segplug test --out`` has written.
        also: Another such folder, of the same checkpoint tested otherwise: its mIoU and classes
            stand beside. By default the folder next to ``out_dir`` that is multi-scale where that
            one is single-scale, or the other way round.
        out: The file; by default report.html in ``out_dir``.
        num: How many images are shown: half are those of lowest mIoU, half those around the median.
        config, options, data_root: As in `load_config`, for folders that do not say how they were
            made, and data that was moved.
        training: Its work directory, or a log of it, for its curves; by default the
            checkpoint's folder.
        image_dir: Folder of the images, for a folder of ``segplug score``, which knows none.

    Raises:
        DataError: A folder is not what a test writes, or ``also`` is of another test.
        ConfigError: A setting is wrong.
        OutputError: The page cannot be written.
    """
    if num < 0:
        raise ConfigError('num is a number of images.', got=num, expected='0 or more')
    tested = read_tested(out_dir)
    path = Path(out_dir) / 'report.html' if out is None else Path(out)
    if os.path.isdir(path):  # no name is too long for it
        raise ConfigError(f'--out {path} is a folder.', expected='a file to write',
                          fix=f'give {path / "report.html"}')
    other, remarks = _other(tested, also)
    remarks = [text for text in (tested.remark if config is None else '', *remarks) if text]
    both = sorted([tested] if other is None else [tested, other], key=lambda t: t.num_views or 0)
    run_log, log_note = training_log(tested, training)
    cfg, samples, problem = samples_of(tested, config, options, data_root, image_dir)
    worst, middle = chosen(tested.image_scores()[0], num) if samples else ((), ())
    if isinstance(samples, ScoredSamples) and image_dir is None and num:
        remarks.append('A score of files knows labels and predictions only: --image-dir shows '
                       'them over the images.')
    if problem and not tested.remark:
        remarks.append(f'There are no pictures: {problem}')
    page = RunPage(
        title=title_of(tested, config), modes=[_mode(one, len(both) > 1) for one in both],
        main=both.index(tested), classes=tested.classes, palette=palette_of(tested, samples),
        matrix=tested.matrix, images=_image_scores(tested),
        worst=[_shot(tested, samples, i) for i in worst],
        middle=[_shot(tested, samples, i) for i in middle],
        ignore_index=samples.ignore_index if samples else 255, log=run_log, log_note=log_note,
        facts=facts_of(both, tested, cfg), config=config_text(tested, cfg), remarks=remarks)
    try:
        atomic_write(path, run_page(page).encode())
    except OSError as error:
        raise OutputError(f'{path} could not be written.', got=error.strerror or error,
                          fix='choose another --out') from error
    return Report(path, tuple(remarks))


def chosen(scores: np.ndarray, num: int) -> tuple[list[int], list[int]]:
    """Places of the images to show: those of lowest score, and those around the median.

    Args:
        scores: (I,) float64; images without one (nan) are never shown.
        num: How many there shall be at most, none of them twice.
    """
    order = [int(i) for i in np.argsort(scores, kind='stable') if not np.isnan(scores[i])]
    num = min(num, len(order))
    worst = order[:num - num // 2]
    median = np.median(scores[order]) if order else 0
    rest = sorted(order[len(worst):], key=lambda i: abs(scores[i] - median))[:num // 2]
    return worst, sorted(rest, key=lambda i: scores[i])


def _other(tested: Tested, also: str | os.PathLike | None) -> tuple[Tested | None, list[str]]:
    """The other way in which the checkpoint was tested, and what to say of it."""
    if also is not None:
        other = read_tested(also)
        match(tested.images, other.images)
        if None not in (one := _checkpoint(tested), two := _checkpoint(other)) and one != two:
            raise DataError(f'{tested.folder} and {also} are of two checkpoints.',
                            fix=f'segplug report {tested.folder} {also} compares two runs')
        return other, []
    if tested.num_views is None or _checkpoint(tested) is None:
        return None, []
    found = []
    own = tested.folder.resolve()
    beside = Path(os.path.abspath(tested.folder)).parent  # of a link, where it lies
    for folder in sorted(beside.iterdir()):
        if folder.resolve() == own or not (folder / run_record.FILE).is_file():
            continue
        with contextlib.suppress(DataError):  # it was not asked for
            other = read_tested(folder)
            match(tested.images, other.images)
            if other.mode not in ('', tested.mode) and _checkpoint(other) == _checkpoint(tested):
                found.append(other)
    if len(found) > 1:
        names = ', '.join(other.folder.name for other in found)
        return None, [f'Several folders beside this one are {found[0].mode} tests of the same '
                      f'checkpoint ({names}): choose one with --with.']
    return (found[0] if found else None), []


def _checkpoint(tested: Tested) -> str | None:
    return tested.record and (tested.record['checkpoint'] or {}).get('sha256')


def _shot(tested: Tested, samples: Samples | ScoredSamples, index: int) -> Shot:
    name = tested.images.files[index]
    score, accuracy, iou = (values[index] for values in tested.image_scores())
    low = [k for k in np.argsort(iou, kind='stable') if not np.isnan(iou[k])][:_NUM_LOWEST]
    facts = (f'Accuracy {accuracy:.2f} %; lowest: '
             + ', '.join(f'{tested.classes[k]} {iou[k]:.1f}' for k in low),)
    try:
        sample = samples.read(name)
    except SegplugError as error:
        return Shot(name, score, facts, error=f'Not shown: {error}')
    return Shot(name, score, facts, sample.picture, sample.label, sample.prediction)


def _image_scores(tested: Tested) -> list[ImageScore]:
    score, accuracy, iou = tested.image_scores()
    known = ~np.isnan(iou).all(axis=1)
    lowest = np.argmin(np.where(np.isnan(iou), np.inf, iou), axis=1)
    return [ImageScore(name, float(score[i]), float(accuracy[i]),
                       *((tested.classes[lowest[i]], float(iou[i, lowest[i]])) if known[i] else ()))
            for i, name in enumerate(tested.images.files)]


def _mode(tested: Tested, named: bool) -> Mode:
    record = tested.record or {}
    return Mode(tested.mode or (tested.folder.name if named else ''), tested.metrics,
                record.get('level'), views_of(tested))
