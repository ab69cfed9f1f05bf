"""How far a mean score could move with other images: an interval, and a test of two runs.

Everything is drawn from the counts of each image, so the answer is about the images of the set;
it knows nothing of how much another training would change. Whole images are resampled, as the
pixels of one image are not independent.

The interval is the symmetric bootstrap-t: score +- q * s, where s is the standard error from the
score's slopes (the infinitesimal jackknife) and q the quantile of |score* - score| / s* over
resamples. Efron & Tibshirani, An Introduction to the Bootstrap (1993), sections 12.5 and 21.3;
Hall, On symmetric bootstrap confidence intervals, JRSS B 50 (1988). Of the percentile, basic,
BCa, bias-corrected normal and two-sided bootstrap-t intervals that were tried on drawn data sets,
none covers as well: mIoU is a mean of ratios, biased by rare classes.
The p-value is that of a paired permutation test, with Phipson & Smyth's (b + 1) / (n + 1),
Statistical Applications in Genetics and Molecular Biology 9 (2010).

Letters: I images, K classes, R runs, D draws.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError, ShapeError, did_you_mean
from . import scores

# score -> weights of (tp, fp, fn) in its numerator and denominator; `scores.class_scores`'s
# definitions in the form whose slopes are known.
RATIOS = dict(
    IoU=((1, 0, 0), (1, 1, 1)), Acc=((1, 0, 0), (1, 0, 1)), Recall=((1, 0, 0), (1, 0, 1)),
    Precision=((1, 0, 0), (1, 1, 0)), Dice=((2, 0, 0), (2, 1, 1)), Fscore=((2, 0, 0), (2, 1, 1)))
# What rounding leaves of a difference between fractions that are equal.
NOISE = 1e-12
# Numbers in the largest array of a chunk of draws.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean score and where it lies, as fractions; nan where nothing can be said."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Run B minus run A, as fractions; nan where nothing can be said.

    Attributes:
        difference: ``b - a``.
        low, high: Interval of the difference.
        p_value: In (0, 1]: how often swapping the runs at random gives as large a difference.
        a, b: The mean score of each run.
    """

    difference: float
    low: float
    high: float
    p_value: float
    a: float
    b: float


def interval(counts: np.ndarray, score: str = 'IoU', level: float = 0.95, draws: int = 2000,
             seed: int = 0) -> Interval:
    """Bootstrap interval of a score's mean over classes.

    Args:
        counts: (I, 3, K) int64: true positives, false positives, false negatives of each image.
        score: A name of `RATIOS`; classes without a value are left out of the mean.
        level: Wanted coverage, in (0, 1).
        draws: Resamples of I images with replacement.
        seed: The same seed gives the same interval.

    Returns:
        Fractions within [0, 1]. ``low`` and ``high`` are nan for fewer than two images; with two
        or three the interval is [0, 1], unless they are alike.

    Raises:
        ConfigError: Unknown score, or ``level`` or ``draws`` out of range.
        ShapeError: ``counts`` is not (I, 3, K).
    """
    parts = _parts([counts], score, level, draws)
    estimate, margin = _studentised(parts, np.ones(1), level, draws, np.random.default_rng(seed))
    return Interval(estimate, *_clipped(estimate, margin, 0., 1.))


def paired(counts_a: np.ndarray, counts_b: np.ndarray, score: str = 'IoU', level: float = 0.95,
           draws: int = 2000, seed: int = 0) -> Comparison:
    """Compare two runs over the same images.

    The interval resamples images jointly. The test swaps the two runs' counts of each image
    with probability 1/2: were the runs interchangeable, every swapping were as likely as what
    was seen. Two-sided.

    Args:
        counts_a, counts_b: (I, 3, K) int64, the same images in the same order.
        score, level, draws, seed: As for `interval`.

    Raises:
        ConfigError: As for `interval`.
        ShapeError: The counts are not (I, 3, K) of one shape.
    """
    parts = _parts([counts_a, counts_b], score, level, draws)
    rng = np.random.default_rng(seed)
    estimate, margin = _studentised(parts, np.array([-1., 1.]), level, draws, rng)
    a, b = _means(parts.sum(axis=0)).tolist()
    return Comparison(estimate, *_clipped(estimate, margin, -1., 1.),
                      _swap_p_value(parts, draws, rng), a, b)


def _parts(runs: list[np.ndarray], score: str, level: float, draws: int) -> np.ndarray:
    """Check the arguments; R runs of (I, 3, K) -> (I, R, 2, K) float64: numerator, denominator.

    Sums of float64 integers are exact below 2**53, whatever their order.
    """
    if score not in RATIOS:
        raise ConfigError(f'There is no bootstrap of a score {score!r}.', culprit=score,
                          expected=f'one of {", ".join(RATIOS)}', fix=did_you_mean(score, RATIOS))
    if not 0 < level < 1:
        raise ConfigError('The level of an interval lies between 0 and 1.', got=level,
                          fix='write 0.95 for 95 %')
    if draws < 1:
        raise ConfigError('A bootstrap needs draws.', got=draws, expected='1 or more',
                          fix='2000 is usual')
    shapes = [np.shape(counts) for counts in runs]
    if any(len(s) != 3 or s[1] != 3 or s != shapes[0] for s in shapes):
        raise ShapeError('Counts per image have the wrong shape.',
                         got=' and '.join(map(str, shapes)), expected='(I, 3, K), all alike')
    return np.einsum('pc,rick->irpk', np.array(RATIOS[score]), np.stack(runs)).astype(np.float64)


def _studentised(parts: np.ndarray, signs: np.ndarray, level: float, draws: int,
                 rng: np.random.Generator) -> tuple[float, float]:
    """Estimate and half width of the symmetric bootstrap-t interval.

    Args:
        parts: (I, R, 2, K) float64.
        signs: (R,) float64; the statistic is the signed sum of the runs' means.
    """
    num_images = len(parts)
    total = parts.sum(axis=0)
    estimate = float(_means(total) @ signs)
    if num_images < 2 or np.isnan(estimate):
        return estimate, float('nan')
    error = _standard_error(np.ones((1, num_images)), parts, total[None], signs)[0]
    ratios = []
    for size in _chunks(draws, parts):
        weights = _resamples(size, num_images, rng)
        totals = (weights @ parts.reshape(num_images, -1)).reshape(size, *total.shape)
        off = np.abs(_means(totals) @ signs - estimate)
        errors = _standard_error(weights, parts, totals, signs)
        # A resample without spread, one image over and over, says nothing about its distance.
        far = np.where(off > NOISE, np.inf, 0.)
        ratios.append(np.divide(off, errors, out=far, where=errors > NOISE))
    ratios = np.concatenate(ratios)
    ratios = np.sort(ratios[~np.isnan(ratios)])
    if not len(ratios):
        return estimate, float('nan')
    rank = min(int(np.ceil(level * (len(ratios) + 1))), len(ratios))
    quantile = ratios[rank - 1]
    return estimate, float(quantile * error) if np.isfinite(quantile) else float('inf')


def _swap_p_value(parts: np.ndarray, draws: int, rng: np.random.Generator) -> float:
    """Share of random swaps, the one that was seen among them, with as large a difference.

    Args:
        parts: (I, 2, 2, K) float64, the second axis being the runs.
    """
    total = parts.sum(axis=0)
    seen = abs(np.diff(_means(total))[0])
    if np.isnan(seen):
        return float('nan')
    change = (parts[:, 1] - parts[:, 0]).reshape(len(parts), -1)
    extreme = known = 0
    for size in _chunks(draws, parts):
        swaps = (rng.random((size, len(parts))) < 0.5).astype(np.float64)
        moved = (swaps @ change).reshape(size, *total.shape[1:])
        drawn = np.abs(_means(total[1] - moved) - _means(total[0] + moved))
        extreme += int((drawn >= seen - NOISE).sum())
        known += int((~np.isnan(drawn)).sum())
    return (extreme + 1) / (known + 1)


def _resamples(size: int, num_images: int, rng: np.random.Generator) -> np.ndarray:
    """(D, I) float64: how often each image is in each of ``size`` resamples."""
    drawn = rng.integers(num_images, size=(size, num_images))
    drawn += num_images * np.arange(size)[:, None]
    flat = np.bincount(drawn.ravel(), minlength=size * num_images)
    return flat.reshape(size, num_images).astype(np.float64)


def _means(totals: np.ndarray) -> np.ndarray:
    """(..., 2, K) sums of numerators and denominators -> (...) mean over the known classes."""
    top, bottom = totals[..., 0, :], totals[..., 1, :]
    return scores.mean(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0))


def _standard_error(weights: np.ndarray, parts: np.ndarray, totals: np.ndarray,
                    signs: np.ndarray) -> np.ndarray:
    """Standard error of the statistic in each resample: the root of the summed squared influences.

    An image's influence is slope x counts; d(n/d) = dn/d - n dd/d**2. (Efron & Tibshirani 21.3)

    Args:
        weights: (D, I). parts: (I, R, 2, K). totals: (D, R, 2, K). signs: (R,).

    Returns:
        (D,) float64.
    """
    top, bottom = totals[..., 0, :], totals[..., 1, :]
    known = bottom > 0
    share = signs[:, None] / np.maximum(known.sum(-1, keepdims=True), 1)
    per_pixel = np.divide(share, bottom, out=np.zeros(top.shape), where=known)
    slopes = np.stack([per_pixel, -per_pixel * top / np.where(known, bottom, 1.)], axis=2)
    # einsum, not @: BLAS may sum in another order with another number of threads.
    influence = np.einsum('df,if->di', slopes.reshape(len(totals), -1),
                          parts.reshape(len(parts), -1))
    return np.sqrt((weights * influence ** 2).sum(axis=1))


def _chunks(draws: int, parts: np.ndarray) -> list[int]:
    """Sizes that add up to ``draws`` and bound the memory, whatever I and K."""
    largest = max(len(parts), parts[:1].size, 1)
    size = max(1, CHUNK // largest)
    return [min(size, draws - start) for start in range(0, draws, size)]


def _clipped(estimate: float, margin: float, least: float, most: float) -> tuple[float, float]:
    if np.isnan(margin):
        return margin, margin
    return max(least, estimate - margin), min(most, estimate + margin)
