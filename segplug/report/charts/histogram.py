"""Histograms: how many values lie in each of some equal steps."""

import math
from collections.abc import Sequence

import numpy as np

from . import axes, svg

_HEIGHT = 190


def histogram(values: Sequence[float], *, title: str, x_label: str = '', y_label: str = '',
              limits: tuple[float, float] | None = None, num_bins: int = 20,
              marks: Sequence[tuple[str, float]] = (), desc: str | None = None) -> str:
    """A chart of counts.

    Args:
        values: nan, None and infinities are left out.
        title: What it shows; spoken, not drawn.
        x_label, y_label: Drawn at the axes.
        limits: Ends of the axis; by default the extremes, moved out to round numbers. Values
            beyond are left out.
        num_bins: Bars; round steps may make them a few more or less without ``limits``.
        marks: Names and values of upright lines, as the mean.
        desc: Spoken after the title; by default how many values, and where the middle one lies.
    """
    array = axes.drawable(values)
    array = array[~np.isnan(array)]
    ends = limits or axes.span(array)
    if ends is not None:
        edges = _edges(*ends, num_bins, exact=limits is not None)
        array = array[(array >= edges[0]) & (array <= edges[-1])]
    desc = _desc(array) if desc is None else desc
    if not len(array):
        return svg.chart(60, title, desc, [svg.text(svg.WIDTH / 2, 34, 'no values', 'middle')])
    counts = np.histogram(array, edges)[0]
    top = 12 + 14 * bool(y_label) + 14 * bool(marks)
    y_scale = axes.Scale(0., axes.rounded_out(0., float(counts.max()), 4)[1], _HEIGHT, top)
    y_ticks = [tick for tick in y_scale.ticks(4) if tick == int(tick)]
    names = axes.labels(y_ticks)
    left = max(svg.text_width(name) for name in names) + 8
    x_scale = axes.Scale(edges[0], edges[-1], left, svg.WIDTH - 14)
    body = _axes(x_scale, y_scale, y_ticks, names, x_label, y_label)
    for low, high, count in zip(edges, edges[1:], counts.tolist(), strict=False):
        if count:
            body.append(_column(x_scale(low), x_scale(high), y_scale(count),
                                f'{low:.6g} to {high:.6g}: {count}'))
    for name, value in marks:
        if edges[0] <= value <= edges[-1]:
            body += _mark(x_scale(value), top, name, value)
    return svg.chart(_HEIGHT + (44 if x_label else 26), title, desc, body)


def _edges(low: float, high: float, num_bins: int, exact: bool) -> list[float]:
    if exact:
        return np.linspace(low, high, num_bins + 1).tolist()
    step = axes.steps(low, high, num_bins)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(f'{i * step:.12g}') for i in range(first, max(last, first + 1) + 1)]


def _axes(x_scale: axes.Scale, y_scale: axes.Scale, y_ticks: list[float], names: list[str],
          x_label: str, y_label: str) -> list[str]:
    body = [svg.text(0, 12, y_label, 'small', room=svg.WIDTH)] if y_label else []
    for tick, name in zip(y_ticks, names, strict=True):
        y = y_scale(tick)
        body.append(f'<path class="{"grid" if tick else "axis"}" '
                    f'd="M{svg.number(x_scale.start)} {svg.number(y)}H{x_scale.stop}"/>')
        body.append(svg.text(x_scale.start - 6, y + 4, name, 'end'))
    ticks = x_scale.ticks(5)
    for tick, name in zip(ticks, axes.labels(ticks), strict=True):
        body.append(f'<path class="axis" d="M{svg.number(x_scale(tick))} {_HEIGHT}v4"/>')
        body.append(svg.text(x_scale(tick), _HEIGHT + 18, name, 'middle'))
    if x_label:
        body.append(svg.text((x_scale.start + x_scale.stop) / 2, _HEIGHT + 36, x_label,
                             'small middle'))
    return body


def _column(left: float, right: float, top: float, label: str) -> str:
    return (f'<rect class="area c1" x="{svg.number(left + 0.5)}" y="{svg.number(top)}" '
            f'width="{svg.number(right - left - 1)}" height="{svg.number(_HEIGHT - top)}">'
            f'<title>{svg.escape(label)}</title></rect>')


def _mark(x: float, top: float, name: str, value: float) -> list[str]:
    text = f'{name} {axes.value_text(value)}'
    half = svg.text_width(text, svg.SMALL) / 2
    return [f'<path class="line c2" d="M{svg.number(x)} {top - 4}V{_HEIGHT}"/>',
            svg.text(min(max(x, half), svg.WIDTH - half), top - 8, text, 'small middle')]


def _desc(array: np.ndarray) -> str:
    if not len(array):
        return 'No values.'
    return (f'{len(array)} values from {axes.value_text(array.min())} to '
            f'{axes.value_text(array.max())}, half of them below '
            f'{axes.value_text(float(np.median(array)))}.')
