"""From values to places on a chart: ticks at round numbers, their labels, linear and log scales."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# Beyond, differences overflow.
_LIMIT = 1e300


def drawable(values: Iterable[float], log: bool = False) -> np.ndarray:
    """The values as float64, nan for what has no place: infinities, and 0 and less on a log
    scale; what is below 1e-300 is 0."""
    array = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    with np.errstate(invalid='ignore'):
        array[~(np.abs(array) <= _LIMIT)] = math.nan
        array[np.abs(array) < 1 / _LIMIT] = 0
        if log:
            array[~(array > 0)] = math.nan
    return array


def steps(low: float, high: float, count: int = 5) -> float:
    """A step of 1, 2 or 5 times a power of ten that is taken about ``count`` times from low to
    high (Heckbert, "Nice numbers for graph labels", 1990)."""
    rough = (high - low) / count
    power = 10. ** math.floor(math.log10(rough))
    return next(step * power for step, up_to in ((1, 1.5), (2, 3.5), (5, 7.5), (10, math.inf))
                if rough < up_to * power)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """The multiples of the step within [low, high]; low < high."""
    step = steps(low, high, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f'{i * step:.12g}') for i in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Powers of ten within [low, high]; 2 and 5 times them too where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1,), (1, 2, 5)):
        stride = max(1, math.ceil((last - first) / count)) if factors == (1,) else 1
        found = [float(f'{f}e{power}') for power in range(first, last + 1, stride)
                 for f in factors]
        found = [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(found) > 2:
            break
    return found if len(found) > 1 else ticks(low, high, count)


def labels(values: Sequence[float]) -> list[str]:
    """How ticks are written: as short as keeps them apart; thousands as k, millions as M."""
    for size, letter in ((1e6, 'M'), (1e3, 'k'), (1, '')):
        if letter == '' or any(values) and all(
                v == 0 or size <= abs(v) < 1e9 and f'{v / size:.4g}' == f'{v / size:.9g}'
                for v in values):
            break
    for digits in (6, 9, 12, 15):
        texts = [f'{v / size:.{digits}g}'.replace('e-0', 'e-').replace('e+0', 'e')
                 .replace('e+', 'e') for v in values]
        if len(set(texts)) == len(set(values)):
            break
    return [t if t == '0' else t + letter for t in texts]


def value_text(value: float) -> str:
    """A value in a title or description: four digits, '-' for nan."""
    return '-' if value != value else f'{value:.4g}'


@dataclass(frozen=True)
class Scale:
    """From [low, high] to [start, stop], linearly or by the logarithm."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value):
        """Where a value, or an array of them, stands."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = np.log10(value), math.log10(low), math.log10(high)
        return self.start + (value - low) / (high - low) * (self.stop - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        return (log_ticks if self.log else ticks)(self.low, self.high, count)


def span(values: np.ndarray, log: bool = False) -> tuple[float, float] | None:
    """Smallest and largest drawable value, moved apart if they are one; None without any."""
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if high - low > 1e-12 * max(abs(low), abs(high)):
        return low, high
    if log:
        return low / 2, low * 2
    half = abs(low) / 2 or 1.
    return low - half, low + half


def rounded_out(low: float, high: float, count: int = 5) -> tuple[float, float]:
    """[low, high] widened to multiples of its step, so that the axis ends at ticks."""
    for _ in range(9):  # far more than are needed
        step = steps(low, high, count)
        wider = (float(f'{math.floor(low / step + 1e-9) * step:.12g}'),
                 float(f'{math.ceil(high / step - 1e-9) * step:.12g}'))
        if wider == (low, high):
            break
        low, high = wider  # a wider axis may have a longer step
    return low, high
