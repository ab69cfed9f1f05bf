"""A confusion matrix as a figure of matplotlib that can be read at any number of classes K."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ConfigError, did_you_mean
from ..report.charts.heat import shares
from .figures import plain

THEME = 'Blues'
# Inches: of a cell, and of the whole square at least and at most.
_CELL, _LEAST, _MOST = 0.34, 2.4, 18.
# Points.
_LARGEST_FONT, _SMALLEST_FONT = 9., 5.
_MAX_NAME = 40
# Up to this many classes each cell has its number.
_MAX_WRITTEN = 30
_WORDS = {'rows': 'share of the truth, %', 'columns': 'share of the prediction, %',
          'none': 'pixels'}


def figure(matrix: np.ndarray, classes: Sequence[str], normalize: str, theme: str, title: str,
           make: Callable):
    """Draw it.

    Args:
        matrix: (K, K) int64.
        classes: K names.
        normalize: 'rows', 'columns' or 'none'.
        theme: A colour map of matplotlib.
        title: Above, or ''.
        make: Makes an empty figure: its class, or pyplot's function.

    Raises:
        ConfigError: There is no such colour map.
    """
    colours = _colours(theme)
    num = len(classes)
    classes = [plain(name if len(name) <= _MAX_NAME else f'{name[:_MAX_NAME - 1]}…')
               for name in classes]
    side = min(max(_CELL * num, _LEAST), _MOST)
    every, size = labelled(num, side)
    longest = max(len(name) for name in classes) * 0.6 * size / 72
    made = make(figsize=(side + longest + 1.6, side + longest + 0.9), layout='constrained')
    axes = made.subplots()
    values = shares(matrix, normalize)
    shown = np.ma.masked_where(matrix == 0, values)
    # By the square root, so that small confusions can be seen beside the diagonal.
    scale = _norm(values)
    image = axes.imshow(shown, cmap=colours, norm=scale, interpolation='nearest')
    _axes(axes, classes, every, size)
    bar = made.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.set_label(_WORDS[normalize])
    if normalize != 'none':
        bar.ax.yaxis.set_major_formatter(lambda value, place: f'{100 * value:g}')
    else:
        bar.ax.yaxis.set_major_formatter(lambda value, place: short(value * matrix.max()))
    if num <= _MAX_WRITTEN:
        _write(axes, matrix, values, normalize, colours, scale, size)
    if title:
        axes.set_title(plain(title))
    return made


def labelled(num: int, side: float) -> tuple[int, float]:
    """Every which class is named, and in which size (points), so that no two names touch.

    Args:
        num: K.
        side: Of the square, inches.
    """
    room = 72 * side / num
    size = min(max(0.8 * room, _SMALLEST_FONT), _LARGEST_FONT)
    return max(1, math.ceil(1.15 * size / room)), size


def short(value: float) -> str:
    """A count in at most five characters: 999, 1.2k, 35M."""
    for size, letter in ((1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if value >= 0.9995 * size:
            value /= size
            return f'{value:.1f}{letter}' if value < 9.95 else f'{value:.0f}{letter}'
    return f'{value:.0f}'


def _colours(theme: str):
    import matplotlib
    if theme not in matplotlib.colormaps:
        raise ConfigError(f'There is no colour map {theme!r}.', fix=did_you_mean(
            theme, matplotlib.colormaps) or "take one of matplotlib's, as 'viridis'")
    return matplotlib.colormaps[theme]


def _norm(values: np.ndarray):
    from matplotlib.colors import PowerNorm
    return PowerNorm(0.5, vmin=0, vmax=max(float(values.max()), 1e-12))


def _axes(axes, classes: Sequence[str], every: int, size: float) -> None:
    places = range(0, len(classes), every)
    names = [classes[k] for k in places]
    axes.set_xticks(places, names, rotation=90, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.tick_params(length=2)
    axes.set_xlabel('predicted')
    axes.set_ylabel('truth')


def _write(axes, matrix: np.ndarray, values: np.ndarray, normalize: str, colours, scale,
           size: float) -> None:
    """The numbers in the cells, in black or white; shares below half a percent are left out."""
    for t, p in np.argwhere(matrix if normalize == 'none' else values >= 0.005).tolist():
        text = short(matrix[t, p]) if normalize == 'none' else f'{100 * values[t, p]:.0f}'
        axes.text(p, t, text, ha='center', va='center', fontsize=0.85 * size,
                  color=over(colours(scale(values[t, p]))))


def over(colour: Sequence[float]) -> str:
    """'black' or 'white', what stands out more from (r, g, b) in [0, 1].

    Their contrasts are equal at a relative luminance of 0.179, where both are 4.58 (WCAG 2.2).
    """
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 'black' if luminance > 0.179 else 'white'
