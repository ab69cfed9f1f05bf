"""The report of one test: its scores, what it confuses, its training and its images, on one page.

Letters: I images, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from . import charts, score_rows
from .logs import Curve, RunLog
from .pages import render
from .shots import LAYERS, MOST_DIGITS, Shot, blank, shown

MAX_BYTES = 4_900_000
# What a page holds of large data: its table of images, its table of counts, its confusions.
_MAX_ROWS, _MAX_TABLE, _MAX_CONFUSIONS = 5000, 40, 14
_MAX_LOG_ROWS = 40


@dataclass(frozen=True)
class Mode:
    """Scores of one way of testing.

    Attributes:
        name: 'single-scale', 'multi-scale', or '' if that is not known.
        metrics: As metrics.json has them, those of boundaries too, in percent or nan.
        level: Of the interval of mIoU, 0.95; None if it is not known.
        views: Scales and flips in words, or ''.
    """

    name: str
    metrics: dict[str, float]
    level: float | None = None
    views: str = ''


@dataclass(frozen=True)
class ImageScore:
    """A row of the table of images: scores in percent or nan, and the class of lowest IoU."""

    name: str
    score: float
    accuracy: float
    lowest: str = ''
    lowest_score: float = float('nan')


@dataclass(frozen=True)
class Fact:
    """A line of how it was made; a list of lines if there are several."""

    name: str
    lines: tuple[str, ...]
    is_code: bool = False


@dataclass(frozen=True)
class RunPage:
    """What the page shows.

    Attributes:
        title: The run's name.
        modes: One, or single-scale and multi-scale; the rest of the page is of the ``main`` one.
        main: Its place.
        classes: K names.
        palette: K colours (r, g, b).
        matrix: (K, K) int64, rows ground truth.
        images: All I, in any order.
        worst, middle: Images to show: those of lowest mIoU, and those around the median.
        ignore_index: Label value that was not scored.
        log: The training's, or None; ``log_note`` is then why, or whose it is.
        facts: How it was made.
        config: As text, or ''.
        remarks: What is missing, in sentences.
    """

    title: str
    modes: Sequence[Mode]
    main: int
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    matrix: np.ndarray
    images: Sequence[ImageScore]
    worst: Sequence[Shot] = ()
    middle: Sequence[Shot] = ()
    ignore_index: int = 255
    log: RunLog | None = None
    log_note: str = ''
    facts: Sequence[Fact] = ()
    config: str = ''
    remarks: Sequence[str] = field(default_factory=list)


def run_page(page: RunPage, max_bytes: int = MAX_BYTES) -> str:
    """The page as HTML, of at most ``max_bytes``: pictures are as large as there is room for."""
    shots = [*page.worst, *page.middle]
    values = dict(
        page=page, main=page.modes[page.main], title=page.title, rows=_class_rows(page),
        tiles=score_rows.TILES, columns=_columns(page), more=_more(page),
        matrix=Markup(charts.heat_map(page.matrix, page.classes, title='Confusion matrix')),
        counts=sparse(page.matrix), confusions=confusions(page.matrix),
        table_of_counts=len(page.classes) <= _MAX_TABLE, num_pixels=int(page.matrix.sum()),
        distribution=_distribution(page), images=_worst_first(page.images)[:_MAX_ROWS],
        curves=_curves(page.log), log_rows=_log_rows(page.log), chart_style=Markup(charts.STYLE),
        colours=[f'rgb({r},{g},{b})' for r, g, b in page.palette],
        links={shot.name: f'{kind}-{i}' for kind in ('worst', 'middle')
               for i, shot in enumerate(getattr(page, kind), 1)})
    cut, empty = len(page.worst), blank(shots, LAYERS)
    without = render('run.html', **values, worst=empty[:cut], middle=empty[cut:])
    room = max_bytes - len(without.encode()) - MOST_DIGITS * len(shots)
    made = shown(shots, room, len(page.classes), page.ignore_index, page.palette)
    return render('run.html', **values, worst=made[:cut], middle=made[cut:])


def sparse(matrix: np.ndarray) -> list[list[int]]:
    """For each row of counts: column, count, column, count ... of what is not 0."""
    return [[int(v) for p in np.flatnonzero(row) for v in (p, row[p])] for row in matrix]


def confusions(matrix: np.ndarray, count: int = _MAX_CONFUSIONS
               ) -> list[tuple[int, int, int, float]]:
    """The largest wrong cells: truth, prediction, pixels, share of the truth's pixels in percent;
    by pixels."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    total = matrix.sum(axis=1)
    order = np.argsort(-wrong, axis=None, kind='stable')[:count]
    cells = [divmod(int(i), len(matrix)) for i in order]
    return [(t, p, int(wrong[t, p]), 100 * wrong[t, p] / total[t]) for t, p in cells if wrong[t, p]]


def _class_rows(page: RunPage) -> list[dict]:
    labelled = page.matrix.sum(axis=1)
    total = max(int(labelled.sum()), 1)
    metrics = page.modes[page.main].metrics
    return [dict(
        name=name, colour='rgb({},{},{})'.format(*page.palette[k]),
        iou=[mode.metrics.get(f'IoU.{name}') for mode in page.modes],
        others=[metrics.get(f'{key}.{name}') for key in _columns(page)],
        share=100 * int(labelled[k]) / total) for k, name in enumerate(page.classes)]


def _columns(page: RunPage) -> dict[str, str]:
    """Score -> heading, of the columns beside IoU."""
    known = score_rows.of_classes(page.modes[page.main].metrics, page.classes)
    return {key: words for key, words in score_rows.COLUMNS.items()
            if key != 'BIoU' or key in known}


def _more(page: RunPage) -> dict:
    """Tables of the scores that stand nowhere else: of the whole test in each mode, and of the
    classes."""
    metrics, classes = page.modes[page.main].metrics, page.classes
    whole = score_rows.of_the_whole(metrics, classes)
    shown = {'mPrecision', 'mRecall'}  # below the columns
    scores = [key for key in score_rows.of_classes(metrics, classes)
              if key not in ('IoU', *score_rows.COLUMNS)]
    return dict(
        whole=[(key, [mode.metrics.get(key) for mode in page.modes])
               for key in whole if key not in shown],
        scores=scores, classes=[(name, [metrics[f'{key}.{name}'] for key in scores])
                                for name in (classes if scores else ())])


def _worst_first(images: Sequence[ImageScore]) -> list[ImageScore]:
    """By mIoU; those without a score last."""
    return sorted(images, key=lambda i: (i.score != i.score, i.score if i.score == i.score else 0,
                                         i.name))


def _distribution(page: RunPage) -> Markup:
    values = np.array([image.score for image in page.images])
    values = values[~np.isnan(values)]
    marks = [('median', float(np.median(values)))] if len(values) else []
    return Markup(charts.histogram(
        values, title='Images by their mIoU', x_label='mIoU of an image, in percent',
        y_label='images', marks=marks))


def _curves(log: RunLog | None) -> list[tuple[str, Markup]]:
    """Heading and chart of each kind of curve that the log has."""
    if log is None:
        return []
    known = log.curves
    rates = [name for name in known if name == 'lr'] or \
        [name for name in known if name.endswith('.lr')]
    kinds = (('Loss', [('training', 'loss'), ('validation', 'val/loss')], 'loss', False),
             ('Learning rate', [(name, name) for name in rates], 'learning rate', False),
             ('Validation mIoU', [('mIoU', 'mIoU')], 'percent', False))
    found = []
    for heading, series, label, log_scale in kinds:
        drawn = [charts.Series(name if len(series) > 1 else '', known[key].x, known[key].y)
                 for name, key in series if key in known]
        if drawn:
            found.append((heading, Markup(charts.line_chart(
                drawn, title=f'{heading} by iteration', x_label='iteration', y_label=label,
                log=log_scale))))
    return found


def _log_rows(log: RunLog | None) -> dict | None:
    """The curves as a table: names of the columns, and rows of some iterations.

    Validations are few: chosen among the iterations of training, hardly one would be in it. So
    there are up to `_MAX_LOG_ROWS` of either.
    """
    if log is None:
        return None
    columns = [name for name in ('loss', 'val/loss', 'lr', 'mIoU') if name in log.curves]
    kept = {x for group in (('loss', 'lr'), ('val/loss', 'mIoU')) for x in _spread(
        {float(x) for name in columns if name in group for x in log.curves[name].x})}
    return dict(columns=columns, rows=[
        (int(x), [_at(log.curves[name], x) for name in columns]) for x in sorted(kept)])


def _spread(places: set[float]) -> list[float]:
    """At most `_MAX_LOG_ROWS` of them, evenly, the last one too."""
    return sorted(places, reverse=True)[::max(1, -(-len(places) // _MAX_LOG_ROWS))]


def _at(curve: Curve, x: float) -> float:
    found = np.flatnonzero(curve.x == x)
    return float(curve.y[found[0]]) if len(found) else float('nan')
