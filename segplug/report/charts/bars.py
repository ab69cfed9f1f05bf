"""Horizontal bars: one or two values for each name, with intervals; differences around zero."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import axes, svg

_THICK = 11
_GAP = 8


@dataclass(frozen=True)
class Bar:
    """One name.

    Attributes:
        name: At the left.
        values: One or two; nan or None draws no bar and is written as a dash.
        intervals: For each value (low, high), or None; none at all by default.
    """

    name: str
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...] = ()


def bar_chart(bars: Sequence[Bar], *, title: str, names: Sequence[str] = (), signed: bool = False,
              limits: tuple[float, float] | None = None, digits: int = 2,
              desc: str | None = None) -> str:
    """A row for each bar, from the top.

    Args:
        bars: With equally many values each.
        title: What it shows; spoken, not drawn.
        names: What the values of a bar are called, for the legend: ('A', 'B').
        signed: The values are differences: they are written with their sign, and those below
            zero have the second colour.
        limits: Ends of the axis; by default zero and the extremes. What lies beyond is cut off.
        digits: After the point, in the values that are written.
        desc: Spoken after the title; by default the values.
    """
    def write(v):
        return '–' if v != v else f'{v:{"+" if signed else ""}.{digits}f}'
    rows = [(bar, axes.drawable(bar.values), _intervals(bar)) for bar in bars]
    desc = _desc(rows, names, write) if desc is None else desc
    if not rows:
        return svg.chart(60, title, desc, [svg.text(svg.WIDTH / 2, 34, 'no values', 'middle')])
    count = max(len(values) for _, values, _ in rows)
    height = count * _THICK + _GAP
    left = min(0.42 * svg.WIDTH, max(svg.text_width(bar.name) for bar in bars)) + 8
    right = svg.WIDTH - 8 - max(svg.text_width(write(v), svg.SMALL)
                                for _, values, _ in rows for v in values)
    low, high = limits or _limits(rows)
    scale = axes.Scale(low, high, left, right)
    legend = _legend(names) if len(names) > 1 else []
    top = 22 if legend else 4
    body = [*legend, *_grid(scale, top, top + height * len(rows))]
    for i, (bar, values, intervals) in enumerate(rows):
        y = top + i * height
        body.append(svg.text(left - 8, y + height / 2 + 4, bar.name, 'end', room=left - 8))
        for j, value in enumerate(values):
            colour = 1 + (value < 0 if signed and count == 1 else j)
            label = f'{bar.name}{f", {names[j]}" if j < len(names) else ""}: {write(value)}'
            body += _bar(scale, value, intervals[j] if j < len(intervals) else None,
                         y + _GAP / 2 + j * _THICK, colour, label)
            body.append(svg.text(svg.WIDTH, y + _GAP / 2 + j * _THICK + 9, write(value),
                                 'small end'))
    return svg.chart(top + height * len(rows) + 20, title, desc, body)


def _intervals(bar: Bar) -> list[np.ndarray | None]:
    ends = [None if pair is None else axes.drawable(pair) for pair in bar.intervals]
    return [None if pair is None or np.isnan(pair).any() else pair for pair in ends]


def _limits(rows: list) -> tuple[float, float]:
    values = np.concatenate([[0.], *(values for _, values, _ in rows), *(
        pair for _, _, intervals in rows for pair in intervals if pair is not None)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return axes.rounded_out(low, high if high > low else low + 1)


def _grid(scale: axes.Scale, top: float, bottom: float) -> list[str]:
    ticks = scale.ticks(4)
    body = []
    for tick, name in zip(ticks, axes.labels(ticks), strict=True):
        css = 'axis' if tick == 0 else 'grid'
        body.append(f'<path class="{css}" d="M{svg.number(scale(tick))} {svg.number(top)}'
                    f'V{svg.number(bottom)}"/>')
        body.append(svg.text(scale(tick), bottom + 14, name, 'small middle'))
    return body


def _bar(scale: axes.Scale, value: float, interval: np.ndarray | None, y: float, colour: int,
         label: str) -> list[str]:
    if value != value:
        return []
    def place(v):
        return float(scale(min(max(v, scale.low), scale.high)))
    start, stop = sorted((place(0.), place(value)))
    body = [f'<rect class="area c{colour}" x="{svg.number(start)}" y="{svg.number(y)}" '
            f'width="{svg.number(stop - start)}" height="{_THICK - 1}">'
            f'<title>{svg.escape(label)}</title></rect>']
    if interval is not None:
        a, b = (svg.number(place(v)) for v in interval)
        body.append(f'<path class="whisker" d="M{a} {svg.number(y + 2)}v6m0 -3H{b}m0 -3v6"/>')
    return body


def _legend(names: Sequence[str]) -> list[str]:
    room = svg.WIDTH / len(names) - 24
    return [part for j, name in enumerate(names) for part in (
        f'<rect class="area c{j + 1}" x="{svg.number(j * (room + 24))}" y="3" width="12" '
        'height="12"/>', svg.text(j * (room + 24) + 18, 14, name, room=room))]


def _desc(rows: list, names: Sequence[str], write) -> str:
    of = f' ({", ".join(names)})' if len(names) > 1 else ''
    return (f'{len(rows)} rows{of}: ' + '; '.join(
        f'{bar.name} {", ".join(map(write, values))}' for bar, values, _ in rows) + '.'
            if rows else 'No values.')
