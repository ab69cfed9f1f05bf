"""Line charts: several series over one axis, with a legend; what is nan leaves a gap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import axes, svg

_HEIGHT = 220
_MARGIN = 16
# More points than this in a series are drawn as the extremes of each column of the chart.
_MAX_POINTS = 2 * svg.WIDTH
# Up to this many points each has a dot that says its value.
_MAX_DOTS = 40
_DASHES = ('', ' stroke-dasharray="6 4"', ' stroke-dasharray="2 3"', ' stroke-dasharray="9 3 2 3"')


@dataclass(frozen=True)
class Series:
    """One line.

    Attributes:
        name: In the legend; '' leaves it out of it.
        x: Places, rising.
        y: As many values; nan, None or infinite is a gap.
        colour: Which of the colours, 0 is the first; by default its place among the series.
            Those after the eighth are dashed.
        faint: Drawn thin and pale, as the values behind a smoothed line are.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int | None = None
    faint: bool = False


def line_chart(series: Sequence[Series], *, title: str, x_label: str = '', y_label: str = '',
               log: bool = False, desc: str | None = None) -> str:
    """A chart of lines.

    Args:
        series: In the order of the legend.
        title: What it shows; spoken, not drawn.
        x_label, y_label: Drawn at the axes.
        log: Logarithmic y; values of 0 and less are gaps.
        desc: Spoken after the title; by default first, last, lowest and highest of each series.
    """
    drawn = [(_colour(one, i), one, axes.drawable(one.x), axes.drawable(one.y, log))
             for i, one in enumerate(series)]
    desc = _desc(drawn) if desc is None else desc
    shown = [~(np.isnan(x) | np.isnan(y)) for _, _, x, y in drawn]
    spans = [axes.span(np.concatenate([values[s] for values, s in zip(which, shown, strict=True)]),
                       is_log) if drawn else None
             for which, is_log in (([x for _, _, x, _ in drawn], False),
                                   ([y for _, _, _, y in drawn], log))]
    if None in spans:
        return svg.chart(60, title, desc, [svg.text(svg.WIDTH / 2, 34, 'no values', 'middle')])
    (left, right), (low, high) = spans
    if not log:
        low, high = axes.rounded_out(low, high)
    y_scale = axes.Scale(low, high, _HEIGHT, _MARGIN + (12 if y_label else 0), log)
    y_ticks = y_scale.ticks()
    names = axes.labels(y_ticks)
    edge = max(svg.text_width(name) for name in names) + 8
    x_scale = axes.Scale(left, right, edge, svg.WIDTH - 14)
    body = [*_y_axis(y_scale, y_ticks, names, edge, y_label), *_x_axis(x_scale, x_label)]
    body += [part for colour, one, x, y in drawn
             for part in _line(colour, one, x, y, x_scale, y_scale)]
    legend, height = _legend([(c, one.name) for c, one, _, _ in drawn if one.name],
                             _HEIGHT + (52 if x_label else 34))
    return svg.chart(height, title, desc, body + legend)


def _colour(one: Series, place: int) -> int:
    return place if one.colour is None else one.colour


def _style(colour: int) -> tuple[str, str]:
    """Class and dash pattern."""
    dash = _DASHES[colour // svg.NUM_COLOURS % len(_DASHES)]
    return f'c{colour % svg.NUM_COLOURS + 1}', dash


def _y_axis(scale: axes.Scale, ticks: list[float], names: list[str], edge: float, label: str
            ) -> list[str]:
    body = [svg.text(0, 12, label, 'small', room=svg.WIDTH)] if label else []
    for tick, name in zip(ticks, names, strict=True):
        y = svg.number(scale(tick))
        body.append(f'<path class="grid" d="M{svg.number(edge)} {y}H{svg.WIDTH - 14}"/>')
        body.append(svg.text(edge - 6, scale(tick) + 4, name, 'end'))
    return body


def _x_axis(scale: axes.Scale, label: str) -> list[str]:
    body = [f'<path class="axis" d="M{svg.number(scale.start)} {_HEIGHT}H{scale.stop}"/>']
    ticks = scale.ticks(4)
    for tick, name in zip(ticks, axes.labels(ticks), strict=True):
        x = scale(tick)
        body.append(f'<path class="axis" d="M{svg.number(x)} {_HEIGHT}v4"/>')
        half = svg.text_width(name) / 2
        body.append(svg.text(min(x, svg.WIDTH - half), _HEIGHT + 18, name, 'middle'))
    if label:
        body.append(svg.text((scale.start + scale.stop) / 2, _HEIGHT + 36, label, 'small middle'))
    return body


def _line(colour: int, one: Series, x: np.ndarray, y: np.ndarray, x_scale: axes.Scale,
          y_scale: axes.Scale) -> list[str]:
    gap = np.isnan(x) | np.isnan(y)
    places = np.stack([scale(np.where(gap, math.nan, values)) for scale, values in
                       ((x_scale, x), (y_scale, y))], 1)
    css, dash = _style(colour)
    faint = ' faint' if one.faint else ''
    body = [f'<path class="line {css}{faint}"{dash} d="{_path(_thinned(places))}"/>']
    count = int((~gap).sum())
    if count <= _MAX_DOTS and not one.faint:
        body += [f'<circle class="area {css}" cx="{svg.number(a)}" cy="{svg.number(b)}" r="2.5">'
                 f'<title>{svg.escape(one.name)} {axes.value_text(v)} at {u:.10g}</title></circle>'
                 for (a, b), u, v in zip(places[~gap], x[~gap], y[~gap], strict=True)]
    return body


def _path(places: np.ndarray) -> str:
    """(P, 2) places, nan between lines -> the d of a <path>."""
    parts, pen_up = [], True
    for x, y in places.tolist():
        if y != y:
            pen_up = True
            continue
        parts.append(f'{"M" if pen_up else "L"}{svg.number(x)} {svg.number(y)}')
        pen_up = False
    return ''.join(parts)


def _thinned(places: np.ndarray) -> np.ndarray:
    """Of many points, first, lowest, highest and last of each unit of width, and the gaps."""
    if len(places) <= _MAX_POINTS:
        return places
    gap = np.isnan(places[:, 1])
    columns = np.floor(np.nan_to_num(places[:, 0])).astype(np.int64)
    starts = np.flatnonzero(np.r_[True, (np.diff(columns) != 0) | (np.diff(gap) != 0)])
    keep = set()
    for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
        part = places[start:stop, 1]
        keep |= {start, stop - 1}
        if not gap[start]:
            keep |= {start + int(part.argmin()), start + int(part.argmax())}
    return places[sorted(keep)]


def _legend(entries: list[tuple[int, str]], top: float) -> tuple[list[str], float]:
    """The legend below ``top``, in as many rows as it needs, and where it ends."""
    body, x, y = [], 0., top
    for colour, name in entries:
        css, dash = _style(colour)
        name = svg.shortened(name, svg.WIDTH - 30)
        width = 26 + svg.text_width(name) + 14
        if x and x + width > svg.WIDTH:
            x, y = 0., y + 20
        body.append(f'<path class="line {css}"{dash} d="M{svg.number(x)} {svg.number(y)}h20"/>')
        body.append(svg.text(x + 26, y + 4, name))
        x += width
    return body, y + 14


def _desc(drawn: list) -> str:
    parts = []
    for _, one, x, y in drawn:
        good = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
        if one.name and len(good):
            first, last = good[0], good[-1]
            low, high = y[good].min(), y[good].max()
            parts.append(f'{one.name}: from {axes.value_text(y[first])} at {x[first]:.10g} to '
                         f'{axes.value_text(y[last])} at {x[last]:.10g}, lowest '
                         f'{axes.value_text(low)}, highest {axes.value_text(high)}')
    return '; '.join(parts) + '.' if parts else 'No values.'
