"""How long the iterations of a training took, from its log."""

import ast
from dataclasses import dataclass

import numpy as np

from ..report.logs import RunLog
from .syntax import Found, parsed


@dataclass(frozen=True)
class TrainTime:
    """Seconds of an iteration; each logged value is a mean over the iterations before it.

    Attributes:
        mean, std: Over the logged values, by how many iterations they stand for.
        fastest, slowest: Of the logged values.
        fastest_at, slowest_at: Their iterations.
        waiting: Share of the time that was spent waiting for data, in [0, 1]; None if not logged.
        memory: The most that was logged, in MB; None if not logged.
        iterations: The last that was logged.
        planned: How many there shall be, as the config beside the log says; None if it does not.
        hours: Of all iterations that are in the log, without validations.
    """

    mean: float
    std: float
    fastest: float
    fastest_at: int
    slowest: float
    slowest_at: int
    waiting: float | None
    memory: float | None
    iterations: int
    hours: float
    planned: int | None = None

    @property
    def left(self) -> float | None:
        """Seconds to go at this pace, without validations; None if nothing is, or is known."""
        to_go = (self.planned or 0) - self.iterations
        return to_go * self.mean if to_go > 0 else None


def train_time(run: RunLog, warm_up: bool = False) -> TrainTime | None:
    """The times of a run; None where its log has none.

    Args:
        run: Its log.
        warm_up: Whether to count the first value of each start in mean, spread and extremes: it
            holds the start of the workers and the choice of algorithms.
    """
    curve = run.curves.get('time')
    if curve is None or not np.isfinite(curve.y).any():
        return None
    weights = np.diff(curve.x, prepend=0.)
    good = np.isfinite(curve.y)
    hours = float((weights * curve.y)[good].sum() / 3600)
    steady = good & ~np.isin(curve.x, run.starts)
    if not warm_up and steady.any():
        good = steady
    x, y, weights = curve.x[good], curve.y[good], weights[good]
    mean = float(np.average(y, weights=weights))
    std = float(np.sqrt(np.average((y - mean) ** 2, weights=weights)))
    fast, slow = int(y.argmin()), int(y.argmax())
    return TrainTime(mean, std, float(y[fast]), int(x[fast]), float(y[slow]), int(x[slow]),
                     _waiting(run, x, y, weights), _memory(run), int(curve.x[-1]), hours,
                     planned_iterations(run))


def planned_iterations(run: RunLog) -> int | None:
    """``max_iters`` of the config that a training leaves beside its log; it is read, not run."""
    try:
        found = parsed(run.files[-1].parent / 'config.py').find(('train_cfg', 'max_iters'))
        value = ast.literal_eval(found.value) if isinstance(found, Found) else None
    except (OSError, ValueError, SyntaxError, IndexError):
        return None
    return value if isinstance(value, int) else None


def _waiting(run: RunLog, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float | None:
    curve = run.curves.get('data_time')
    if curve is None:
        return None
    waited = np.interp(x, curve.x, curve.y)
    total = float((y * weights).sum())
    return float((waited * weights).sum()) / total if total > 0 and np.isfinite(waited).all() \
        else None


def _memory(run: RunLog) -> float | None:
    curve = run.curves.get('memory')
    known = curve.y[np.isfinite(curve.y)] if curve is not None else ()
    return float(max(known)) if len(known) else None
