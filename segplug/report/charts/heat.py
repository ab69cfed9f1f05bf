"""A confusion matrix as a map of heat, at any number of classes within a budget of bytes.

Each cell's darkness is its share of the row, the column or the largest cell. Up to ``max_cells`` of
them, the largest, are elements of their own that tell their counts; the others are painted, with
equal neighbours in one stroke. Letter: K classes.
"""

import math
from collections.abc import Sequence

import numpy as np

from . import axes, svg

NORMALIZE = ('rows', 'columns', 'none')
_NUM_LEVELS = 12
_MAX_SIDE = 64
# Cells of this side and more have their share written into them.
_WRITTEN = 27


def heat_map(counts: np.ndarray, classes: Sequence[str], *, title: str,
             normalize: str = 'rows', max_cells: int = 2500, desc: str | None = None) -> str:
    """A chart of a matrix whose rows are the truth and whose columns are predictions.

    Args:
        counts: (K, K) non-negative integers.
        classes: K names.
        title: What it shows; spoken, not drawn.
        normalize: What a cell's darkness is its share of: 'rows' of the truth, 'columns' of the
            prediction, 'none' of the largest cell.
        max_cells: How many cells can be pointed at, the largest shares first; each is a <rect>
            with data-t, data-p (classes by number), data-n (pixels) and a <title>.
        desc: Spoken after the title; by default the diagonal and the largest confusion.
    """
    counts = np.asarray(counts)
    share = shares(counts, normalize)
    num = len(classes)
    room = min(110., max((svg.text_width(name, svg.SMALL) for name in classes), default=0.))
    left, top = room + 22, 22
    unit = min((svg.WIDTH - left - 2) / max(num, 1), _MAX_SIDE)
    side = num * unit
    named = np.zeros(counts.shape, bool)
    order = np.argsort(-share, axis=None, kind='stable')[:max_cells]
    named.flat[order] = counts.flat[order] > 0
    labels, used = _labels(classes, unit, left, top, side, room)
    body = [svg.text(left + side / 2, 14, 'predicted', 'small middle'),
            svg.text(10, top + side / 2, 'truth', 'small middle',
                     more=f' transform="rotate(-90 10 {svg.number(top + side / 2)})"'),
            f'<g transform="translate({svg.number(left)} {top}) scale({unit:.6g})" class="c1">',
            *_painted(share, named), *_cells(counts, share, named, classes,
                                                     normalize), '</g>',
            f'<rect class="axis" x="{svg.number(left)}" y="{top}" width="{svg.number(side)}" '
            f'height="{svg.number(side)}"/>', *labels,
            *(_written(share, unit, left, top) if unit >= _WRITTEN and normalize != 'none'
              else [])]
    return svg.chart(top + side + used + 6, title,
                     _desc(counts, shares(counts), classes) if desc is None else desc, body)


def shares(counts: np.ndarray, normalize: str = 'rows') -> np.ndarray:
    """(K, K) float64 in [0, 1]: of the sum of the row or column, or of the largest cell; 0 where
    that is 0."""
    if normalize == 'none':
        total = np.full((1, 1), counts.max(initial=0))
    else:
        total = counts.sum(axis=1 if normalize == 'rows' else 0, keepdims=True)
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)


def _level(share: np.ndarray) -> np.ndarray:
    """0 (not painted, below 0.1 %) to `_NUM_LEVELS`; by the square root, so that small shares
    can be seen."""
    return np.where(share < 1e-3, 0, np.ceil(np.sqrt(share) * _NUM_LEVELS)).astype(int)


def _opacity(level: int) -> str:
    return svg.number(level / _NUM_LEVELS)


def _painted(share: np.ndarray, named: np.ndarray) -> list[str]:
    """A <path> for each level, with a stroke for each run of equal cells in a row."""
    levels = np.where(named, 0, _level(share))
    runs: dict[int, list[str]] = {}
    for row, line in enumerate(levels):
        starts = np.flatnonzero(np.r_[True, np.diff(line) != 0]) if len(line) else []
        for start, stop in zip(starts, [*starts[1:], len(line)], strict=True):
            if line[start]:
                runs.setdefault(int(line[start]), []).append(
                    f'M{start} {row}h{stop - start}v1h{start - stop}z')
    return [f'<path class="area" fill-opacity="{_opacity(level)}" d="{"".join(parts)}"/>'
            for level, parts in sorted(runs.items())]


def _cells(counts: np.ndarray, share: np.ndarray, named: np.ndarray, classes: Sequence[str],
           normalize: str) -> list[str]:
    names = [svg.escape(name) for name in classes]
    level = _level(share)
    def words(t, p):
        percent = '' if normalize == 'none' else f', {100 * share[t, p]:.2f} %'
        unit = 'pixel' if counts[t, p] == 1 else 'pixels'
        return f'{names[t]} as {names[p]}: {counts[t, p]} {unit}{percent}'
    return [f'<rect class="area cell" x="{p}" y="{t}" width="1" height="1" '
            f'fill-opacity="{_opacity(level[t, p])}" data-t="{t}" data-p="{p}" '
            f'data-n="{counts[t, p]}"><title>{words(t, p)}</title></rect>'
            for t, p in np.argwhere(named).tolist()]


def _written(share: np.ndarray, unit: float, left: float, top: float) -> list[str]:
    """The shares in percent, black or white, as stands out more from the cell."""
    level = _level(share)
    return [svg.text(left + (p + 0.5) * unit, top + (t + 0.5) * unit + 4,
                     f'{100 * share[t, p]:.0f}', f'small middle {_over(level[t, p])}')
            for t, p in np.argwhere(share >= 0.005).tolist()]


def _over(level: int) -> str:
    """The class of a text on a cell. Of the first colour in the light, black has a contrast of 4.5
    or more up to level 10, in the dark from level 8 on; white has it otherwise (WCAG 2.2)."""
    return 'on-pale' if level < 8 else 'on-even' if level < 11 else 'on-full'


def _labels(classes: Sequence[str], unit: float, left: float, top: float, side: float, room: float
            ) -> tuple[list[str], float]:
    """Names beside the rows and below the columns, every n-th where they stand too close; and
    how much room those below take."""
    every = math.ceil((svg.SMALL + 1) / unit) if classes else 1
    body = []
    for k in range(0, len(classes), every):
        middle = (k + 0.5) * unit
        body.append(svg.text(left - 4, top + middle + 4, classes[k], 'small end', room=room))
        x, y = left + middle + 4, top + side + 4
        body.append(svg.text(x, y, classes[k], 'small end', room=room,
                             more=f' transform="rotate(-90 {svg.number(x)} {svg.number(y)})"'))
    return body, room + 4


def _desc(counts: np.ndarray, share: np.ndarray, classes: Sequence[str]) -> str:
    total = int(counts.sum())
    if not total:
        return 'No pixels.'
    right = 100 * int(np.trace(counts)) / total
    text = f'{len(classes)} classes; {right:.2f} % of {total} pixels are right'
    wrong = np.where(np.eye(len(classes), dtype=bool), 0, share)
    t, p = np.unravel_index(int(wrong.argmax()), wrong.shape)
    if wrong[t, p] > 0:
        text += (f'; the largest confusion is {classes[t]} taken for {classes[p]}, '
                 f'{axes.value_text(100 * float(wrong[t, p]))} % of its pixels')
    return text + '.'
