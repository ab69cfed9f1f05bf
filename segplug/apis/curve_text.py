"""What `curves` prints of its result."""

from typing import TYPE_CHECKING

import numpy as np
from terminaltables import AsciiTable

from ..report.logs import Curve
from .train_time import TrainTime

if TYPE_CHECKING:
    from .charting import Curves


def text(found: 'Curves') -> str:
    """A table of each run's curves, how long it took, and what was passed over."""
    return '\n\n'.join(_run(*each, found.keys) for each in
                       zip(found.names, found.runs, found.times, strict=True))


def _run(name: str, run, time: TrainTime | None, keys: tuple[str, ...]) -> str:
    parts = [name if name == run.path else f'{name}: {run.path}']
    if len(run.starts) > 1:
        parts.append(f'begun {len(run.starts)} times; logged from the iterations '
                     + ', '.join(f'{start}' for start in run.starts) + ' on')
    rows = [[key, *_cells(run.curves[key])] for key in keys if key in run.curves]
    missing = [key for key in keys if key not in run.curves]
    if rows:
        table = AsciiTable([['Curve', 'Values', 'First', 'Last', 'Lowest', 'at', 'Highest', 'at'],
                            *rows])
        table.justify_columns = dict.fromkeys(range(1, 8), 'right')
        parts.append(table.table)
    if missing:
        parts.append(f'not in this log: {", ".join(missing)}')
    if time is not None:
        parts.append(time_line(time))
    return '\n'.join([*parts, *run.notes])


def _cells(curve: Curve) -> list[str]:
    finite = np.flatnonzero(np.isfinite(curve.y))
    ends = [_number(curve.y[0]), _number(curve.y[-1])]
    if not len(finite):
        return [str(len(curve.y)), *ends, '-', '-', '-', '-']
    low, high = (finite[pick(curve.y[finite])] for pick in (np.argmin, np.argmax))
    return [str(len(curve.y)), *ends, _number(curve.y[low]), f'{curve.x[low]:.0f}',
            _number(curve.y[high]), f'{curve.x[high]:.0f}']


def _number(value: float) -> str:
    return f'{value:.5g}'


def time_line(time: TrainTime) -> str:
    """Time of an iteration, waiting, memory, and of the whole training."""
    parts = [f'{time.mean:.4g} s per iteration (spread {time.std:.2g}; fastest {time.fastest:.4g} '
             f'at {time.fastest_at}, slowest {time.slowest:.4g} at {time.slowest_at})']
    if time.waiting is not None:
        parts.append(f'{100 * time.waiting:.1f} % of it waiting for data')
    if time.memory is not None:
        parts.append(f'{time.memory:.0f} MB at most')
    of = f' of {time.planned}' if time.left else ''
    parts.append(f'{time.iterations}{of} iterations in {duration(3600 * time.hours)}')
    if time.left:
        parts.append(f'{duration(time.left)} to go')
    return ', '.join(parts)


def duration(seconds: float) -> str:
    """'45 s', '12 min', '3 h 05 min'."""
    if seconds < 100:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    return f'{minutes} min' if minutes < 100 else f'{minutes // 60} h {minutes % 60:02} min'
