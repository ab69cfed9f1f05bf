"""Which curves of which runs stand in which chart: one chart for each quantity, all runs in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from ..errors import ConfigError, did_you_mean
from .charts import Series, line_chart
from .logs import SHARED, RunLog

_FEWEST_SMOOTHED = 20


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        key: What is drawn: 'loss', which 'val/loss' stands beside.
        series: Its lines.
    """

    key: str
    series: tuple[Series, ...]

    def svg(self, log: bool = False) -> str:
        """As inline SVG; ``log`` for a logarithmic axis."""
        return line_chart(self.series, title=f'{self.key} over the training', x_label='iteration',
                          y_label=self.key, log=log)


def panels(runs: Sequence[RunLog], names: Sequence[str], keys: Sequence[str] | None = None,
           smooth: float = 0., legend: Sequence[str] | None = None) -> list[Panel]:
    """The charts of some runs.

    Args:
        runs: One or more.
        names: What each is called in the legend.
        keys: Names of curves, or patterns ('decode.*'); by default loss, validation loss and mIoU.
        smooth: 0 draws what was logged; up to below 1, see `smoothed`, with the logged values
            pale behind. Curves of a few values, as of validations, are drawn as they are.
        legend: Instead of the names, one for each key of each run, the keys of the first run
            first.

    Raises:
        ConfigError: No run has a key; ``smooth`` or ``legend`` do not fit.
    """
    if not 0 <= smooth < 1:
        raise ConfigError('smooth is out of range.', got=smooth, expected='0 or more, below 1')
    keys = chosen(runs, keys)
    if legend is not None and len(legend) != len(runs) * len(keys):
        raise ConfigError('The legend does not fit.', got=f'{len(legend)} names',
                          expected=f'{len(runs) * len(keys)}: the curves {", ".join(keys)} of '
                                   f'{len(runs)} run{"s" * (len(runs) > 1)}')
    lines: dict[str, list[Series]] = {}
    for r, run in enumerate(runs):
        for k, key in enumerate(keys):
            if key not in run.curves:
                continue
            group = _group(key, keys)
            name = legend[r * len(keys) + k] if legend else _name(key, group, names[r], len(runs))
            found = lines.setdefault(group, [])
            colour = sum(not line.faint for line in found)
            curve = run.curves[key]
            weight = smooth if len(curve.y) >= _FEWEST_SMOOTHED else 0
            if weight:
                found.append(Series('', curve.x, curve.y, colour, faint=True))
            found.append(Series(name, curve.x, smoothed(curve.y, weight), colour))
    order = dict.fromkeys(_group(key, keys) for key in keys)
    return [Panel(key, tuple(lines[key])) for key in order]


def chosen(runs: Sequence[RunLog], keys: Sequence[str] | None = None) -> list[str]:
    """The curves that are meant, each in at least one run; see `panels`."""
    known = list(dict.fromkeys(name for run in runs for name in run.curves))
    if keys is None:
        usual = [name for name in known if name in ('loss', 'val/loss')
                 or name.rpartition('/')[2] == 'mIoU']
        return usual or [name for name in known if name not in SHARED][:4] or known
    found: dict[str, None] = {}
    for key in keys:
        fits = [name for name in known if name == key] or [
            name for name in known if fnmatchcase(name, key)]
        if not fits:
            raise ConfigError(f'No log has {key!r}.', got=', '.join(known),
                              fix=did_you_mean(key, known))
        found.update(dict.fromkeys(fits))
    return list(found)


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential moving average, each of the past values ``weight`` times the one after it.

    Divided by the sum of the weights, so that the first values count fully (Kingma & Ba 2015,
    section 3); nan and infinities stay where they are and count nothing.
    """
    result, total, weights = np.array(values, np.float64), 0., 0.
    for i in np.flatnonzero(np.isfinite(result)) if weight else ():
        total, weights = weight * total + result[i], weight * weights + 1
        result[i] = total / weights
    return result


def _group(key: str, keys: Sequence[str]) -> str:
    """'val/loss' stands with 'loss' where both are drawn."""
    plain = key.removeprefix('val/')
    return plain if plain in keys and plain not in SHARED else key


def _name(key: str, group: str, run: str, num_runs: int) -> str:
    if num_runs == 1:
        return key
    return run if key == group else f'{run}, validation'
