"""The report of two tests side by side: what differs, whether the images can show it, and where.

Letters: I images, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from ..visualization.layers import fitted, label_layer
from . import charts
from .curves import Panel
from .pages import drawing, photo, render
from .run_page import MAX_BYTES
from .shots import MOST_DIGITS, Shown, blank, error_layer, largest

LAYERS = ('image', 'label', 'a', 'errors-a', 'b', 'errors-b')
_MAX_ROWS, _MAX_DIFFERENCES = 2000, 300


@dataclass(frozen=True)
class ClassRow:
    """IoU of a class in both runs, in percent; B minus A with its interval, in points.

    ``p_value`` is that of the paired test of this class alone; nan where nothing can be said.
    """

    name: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float

    def is_shown(self, level: float) -> bool:
        """Whether interval and test both say that there is a difference."""
        return (self.low > 0 or self.high < 0) and self.p_value <= 1 - level


@dataclass(frozen=True)
class PairShot:
    """One image in both runs.

    Attributes:
        name: As in per_image.csv.
        scores: mIoU in A and in B, in percent.
        picture: (H, W, 3) uint8 RGB, or None where it cannot be shown.
        label, a, b: (H, W) integer; the label, and the two predictions.
        error: Why it cannot be shown.
    """

    name: str
    scores: tuple[float, float]
    picture: np.ndarray | None = None
    label: np.ndarray | None = None
    a: np.ndarray | None = None
    b: np.ndarray | None = None
    error: str = ''


@dataclass(frozen=True)
class PairPage:
    """What the page shows.

    Attributes:
        title: Of the page.
        names: What the runs are called, beside A and B.
        comparison: As `segplug.apis.compare` gives it.
        rows: The classes.
        scores: Name -> its value in A and in B, in percent or nan: pixel accuracy and the like.
        more: The same of what has no tile, by the names of metrics.json.
        more_classes: Score -> for each class its value in A and in B: beside IoU.
        images: I names, and mIoU of each in A and B.
        classes, palette: K names and K colours (r, g, b).
        shots: Images to show.
        ignore_index: Label value that was not scored.
        panels: Curves of both trainings; ``log_note`` says whose they are, or why there are none.
        differences: Of the configs: ('~', '-' or '+', key, value in A, value in B); None where a
            config is not known, of which ``config_note`` tells.
        facts: How they were made: name, lines of A, lines of B.
        remarks: What is missing, in sentences.
    """

    title: str
    names: tuple[str, str]
    comparison: Mapping
    rows: Sequence[ClassRow]
    scores: Mapping[str, tuple[float, float]]
    images: Sequence[tuple[str, float, float]]
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    shots: Sequence[PairShot] = ()
    ignore_index: int = 255
    more: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    more_classes: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    panels: Sequence[Panel] = ()
    log_note: str = ''
    differences: Sequence[tuple[str, str, str, str]] | None = None
    config_note: str = ''
    facts: Sequence[tuple[str, Sequence[str], Sequence[str]]] = ()
    remarks: Sequence[str] = ()


def pair_page(page: PairPage, max_bytes: int = MAX_BYTES) -> str:
    """The page as HTML, of at most ``max_bytes``: pictures are as large as there is room for."""
    changes = np.array([b - a for _, a, b in page.images])
    values = dict(
        page=page, title=page.title, level=page.comparison['level'],
        chart_style=Markup(charts.STYLE), chart=Markup(_bars(page)),
        distribution=Markup(charts.histogram(
            changes, title='Images by the change of their mIoU',
            x_label='mIoU in B minus mIoU in A, in points', y_label='images',
            marks=[('no change at', 0.)])),
        curves=[(panel.key, Markup(panel.svg())) for panel in page.panels],
        images=_most_changed_first(page.images)[:_MAX_ROWS],
        differences=(page.differences or ())[:_MAX_DIFFERENCES],
        colours=[f'rgb({r},{g},{b})' for r, g, b in page.palette],
        links={shot.name: f'shot-{i}' for i, shot in enumerate(page.shots, 1)})
    without = render('pair.html', **values, shots=blank(page.shots, LAYERS))
    room = max_bytes - len(without.encode()) - MOST_DIGITS * len(page.shots)
    return render('pair.html', **values, shots=shown(page, room))


def shown(page: PairPage, budget: int) -> list[Shown]:
    """The shots with their pictures encoded, as large as ``budget`` bytes allow for all."""
    def encode(shot: PairShot, side: int) -> Shown:
        if shot.picture is None:
            return Shown(shot)
        picture = fitted(shot.picture, side)
        label, a, b = (fitted(layer, side, nearest=True) for layer in (shot.label, shot.a, shot.b))
        num = len(page.classes)
        layers = {'label': label_layer(label, num, page.ignore_index, page.palette)}
        for name, prediction in (('a', a), ('b', b)):
            layers[name] = label_layer(prediction, num, -1, page.palette)
            layers[f'errors-{name}'] = error_layer(label, prediction, page.ignore_index)
        return Shown(shot, picture.shape[1::-1], {
            'image': photo(picture), **{name: drawing(layer) for name, layer in layers.items()}})
    return largest(page.shots, budget, encode) or [Shown(shot) for shot in page.shots]


def _bars(page: PairPage) -> str:
    """Differences of the classes with their intervals."""
    return charts.bar_chart(
        [charts.Bar(row.name, (row.difference,), ((row.low, row.high),)) for row in page.rows],
        title='IoU of each class, B minus A', signed=True)


def _most_changed_first(images: Sequence[tuple[str, float, float]]) -> list:
    """Those without a score in both last."""
    def place(one: tuple[str, float, float]) -> tuple:
        change = abs(one[2] - one[1])
        return (True, 0., one[0]) if np.isnan(change) else (False, -change, one[0])
    return sorted(images, key=place)
