"""Training curves as SVG, as a page, and as a figure of matplotlib."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..report.charts import STYLE, standalone
from ..report.charts.axes import drawable
from ..report.charts.svg import LIGHT, NUM_COLOURS
from ..report.curves import Panel
from ..report.pages import render
from .curve_text import text
from .figures import plain
from .results import on_paper

if TYPE_CHECKING:
    from .charting import Curves

_INCHES = (7.2, 3.2)  # of one chart
_DASHES = ('-', '--', ':', '-.')
# Up to this many values have dots.
_MAX_DOTS = 40


def fragment(panels: Sequence[Panel], log: bool) -> str:
    """The charts as HTML, for a notebook."""
    return on_paper(*(panel.svg(log) for panel in panels))


def svg(panels: Sequence[Panel], log: bool) -> bytes:
    """An .svg file."""
    return standalone(*(panel.svg(log) for panel in panels)).encode()


def page(found: 'Curves') -> bytes:
    """A page with the charts and what is printed."""
    charts = [dict(key=panel.key, svg=Markup(panel.svg(found.log))) for panel in found.panels]
    return render('curves.html', title=found.title or ', '.join(found.names), style=Markup(STYLE),
                  charts=charts, text=text(found)).encode()


def figure(panels: Sequence[Panel], log: bool, title: str, make: Callable):
    """The charts as a figure of matplotlib, which ``make`` makes."""
    drawn = make(figsize=(_INCHES[0], _INCHES[1] * len(panels)), layout='constrained')
    if title:
        drawn.suptitle(plain(title))
    for axes, panel in zip(drawn.subplots(len(panels), squeeze=False)[:, 0], panels, strict=True):
        _draw(axes, panel, log)
    return drawn


def _draw(axes, panel: Panel, log: bool) -> None:
    for i, line in enumerate(panel.series):
        colour = i if line.colour is None else line.colour
        y = drawable(line.y, log)
        how = dict(alpha=0.3, linewidth=0.8) if line.faint else dict(
            linewidth=1.4, marker='o' if len(y) <= _MAX_DOTS else None, markersize=3,
            linestyle=_DASHES[colour // NUM_COLOURS % len(_DASHES)])
        axes.plot(line.x, y, color=LIGHT[colour % NUM_COLOURS],
                  label=plain(line.name) or '_none', **how)  # '_': not in the legend
    axes.set_ylabel(plain(panel.key))
    axes.set_xlabel('iteration')
    axes.grid(alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    if log:
        axes.set_yscale('log')
    handles, names = axes.get_legend_handles_labels()
    if names:
        axes.legend(handles, names, frameon=False, fontsize='small')
