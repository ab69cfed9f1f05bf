"""What the functions of `segplug.apis` give back: plain values that print well.

Each is what it was before it could print: a dict of numbers is a dict. In a notebook they show
themselves.
"""

import html
import math
from collections.abc import Iterable, Mapping

from terminaltables import AsciiTable

# Long lines and long tables are scrolled, not broken; colours are the notebook's.
_TEXT = 'max-height:36em;overflow:auto;white-space:pre'
# A notebook's background is not known here, and need not follow the system's: charts bring paper.
_PAPER = 'max-width:600px;padding:8px;background:#fff;color:#1a1a1a;color-scheme:light'


class Shown:
    """Shows in a notebook what it prints. What is a picture has `_repr_png_` instead: of both, a
    notebook would take this."""

    def _repr_html_(self) -> str:
        return f'<pre style="{_TEXT}">{html.escape(str(self))}</pre>'


def on_paper(*charts: str) -> str:
    """Charts (SVG) for a notebook, dark on white whatever its theme."""
    from ..report.charts.svg import LIGHT, STYLE
    colours = ';'.join(f'--chart-{i}:{colour}' for i, colour in enumerate(LIGHT, 1))
    papers = (f'<div style="{_PAPER};{colours}">{chart}</div>' for chart in charts)
    return f'<style>{STYLE}</style>{"".join(papers)}'


class Metrics(Shown, dict):
    """Metrics by name, in percent, unrounded; nan where a class is in neither map.

    ``mIoU``, ``mAcc``, ``aAcc`` and what else was measured; ``IoU.<class>``, ``Acc.<class>`` ... It
    prints as a table of the classes and a line of the others.
    """

    _main: tuple[str, ...] | None = None

    def main(self) -> dict[str, float]:
        """The few that a log shows: the means that the config asks for."""
        names = self._main or tuple(key for key in self if '.' not in key)
        return {name: self[name] for name in names}

    @classmethod
    def of(cls, values: Mapping[str, float], metrics: Iterable) -> 'Metrics':
        """What an evaluation returned, and what its metrics keep beside it as ``details``."""
        found = cls(values)
        found._main = tuple(values)
        for metric in metrics:
            prefix = getattr(metric, 'prefix', None)
            for key, value in (getattr(metric, 'details', None) or {}).items():
                found.setdefault(f'{prefix}/{key}' if prefix else key, value)
        return found

    def by_class(self) -> dict[str, dict[str, float]]:
        """{'IoU': {'road': 97.1, ...}, ...}; losses, 'val/decode.loss_ce', are of no class."""
        found: dict[str, dict[str, float]] = {}
        for key, value in self.items():
            kind, dot, name = key.partition('.')
            if dot and not kind.startswith('val/'):
                found.setdefault(kind, {})[name] = value
        return found

    def __str__(self) -> str:
        groups: dict[str, dict[str, dict[str, float]]] = {}
        for kind, values in self.by_class().items():  # categories are no classes: IoU_category
            groups.setdefault(kind.partition('_')[2].capitalize() or 'Class', {})[kind] = values
        lines = [_table(*group) for group in groups.items()]
        means = [f'{key} {_number(value)}' for key, value in self.main().items()]
        return '\n'.join([*lines, ', '.join(means)])


def _table(heading: str, kinds: Mapping[str, Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for values in kinds.values() for name in values))
    table = AsciiTable([[heading, *kinds], *(
        [name, *(_number(values.get(name)) for values in kinds.values())] for name in names)])
    table.justify_columns = dict.fromkeys(range(1, len(kinds) + 1), 'right')
    return table.table


def _number(value: float | None) -> str:
    return '-' if value is None or not isinstance(value, float | int) or math.isnan(value) \
        else f'{value:.2f}'
