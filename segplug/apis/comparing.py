"""Compare two tested models image by image: is B better than A, or are these images too few?

Letters: I images, K classes.
"""

import math

import numpy as np

from ..errors import ConfigError
from ..evaluation import scores
from ..evaluation.bootstrap import NOISE, Comparison, paired
from .compare_text import text
from .per_image import ImageCounts, match, read_counts
from .results import Shown


class CompareResult(Shown, dict):
    """What `compare` found, by name."""

    def __str__(self) -> str:
        return text(self)


def compare(a: str, b: str, *, level: float = 0.95, draws: int = 2000, seed: int = 0,
            num: int = 5) -> CompareResult:
    """Compare two folders that ``segplug test --out`` has written.

    Args:
        a, b: Folders with per_image.csv of the same images, classes and labels.
        level: Wanted coverage of the interval, in (0, 1); a p-value of at most 1 - level counts.
        draws: Resamples of the interval, and swaps of the test.
        seed: The same seed gives the same numbers.
        num: How many of the images that changed most to list.

    Returns:
        Plain values, scores in percent and differences, B minus A, in points; nan where a score
        is not defined:
        ``a``, ``b``: the folders; ``num_images``, ``level``, ``draws``, ``seed``;
        ``mIoU``: ``a``, ``b``, ``difference``, ``low``, ``high`` (of the difference), ``p_value``;
        ``IoU``: name of a class -> ``a``, ``b``, ``difference``;
        ``images``: how many are ``better``, ``worse``, ``same`` or ``unscored`` (without a pixel
        to score), by their own mIoU;
        ``changed``: ``file``, ``a``, ``b``, ``difference`` of the images that changed most;
        ``verdict``: a sentence.

    Raises:
        ConfigError: A setting is out of range.
        DataError: A folder is not what a test writes, or the two are not of one test.
    """
    for name, value in (('num', num), ('seed', seed)):
        if value < 0:
            raise ConfigError(f'{name} is negative.', got=value, expected='0 or more')
    run_a = read_counts(a)
    run_b = match(run_a, read_counts(b))
    result = paired(run_a.counts, run_b.counts, level=level, draws=draws, seed=seed)
    iou_a, iou_b = _iou(run_a.counts.sum(axis=0)), _iou(run_b.counts.sum(axis=0))
    images, changed = _images(run_a, run_b, num)
    alike = np.array_equal(run_a.counts, run_b.counts)
    return CompareResult(
        a=str(a), b=str(b), num_images=len(run_a.files), level=level, draws=draws, seed=seed,
        mIoU=dict(a=100 * result.a, b=100 * result.b, difference=100 * result.difference,
                  low=100 * result.low, high=100 * result.high, p_value=result.p_value),
        IoU={name: _pair(one, other)
             for name, one, other in zip(run_a.classes, iou_a, iou_b, strict=True)},
        images=images, changed=changed,
        verdict=verdict(result, len(run_a.files), level, alike))


def compare_classes(counts_a: np.ndarray, counts_b: np.ndarray, *, level: float = 0.95,
                    draws: int = 2000, seed: int = 0) -> list[Comparison]:
    """The comparison of each class alone, as fractions.

    Of K classes that do not differ, about K (1 - level) will look as if they did: it says where to
    look, and not which of two models is better.

    Args:
        counts_a, counts_b: (I, 3, K) int64, as `match` gives them.
        level, draws, seed: As for `compare`.
    """
    return [paired(counts_a[..., k:k + 1], counts_b[..., k:k + 1], level=level, draws=draws,
                   seed=seed) for k in range(counts_a.shape[-1])]


def verdict(result: Comparison, num_images: int, level: float, alike: bool = False) -> str:
    """One sentence: B is called better or worse only where interval and test both say so.

    Args:
        result: Fractions, as `paired` gives them.
        alike: Whether each image has the same counts in both runs.
    """
    if alike:
        return 'Every image has the same counts in both runs.'
    if math.isnan(result.difference):
        return 'No class has a score in both runs: there is nothing to compare.'
    points = f'{100 * result.difference:+.2f} points of mIoU'
    if math.isnan(result.low):
        return f'One image cannot tell two runs apart: {points}.'
    outside = result.low > 0 or result.high < 0
    small = result.p_value <= 1 - level
    facts = (f'{points}, {100 * level:g} % interval {100 * result.low:+.2f} to '
             f'{100 * result.high:+.2f}, p = {result.p_value:.2g}')
    if outside and small:
        word = 'better' if result.difference > 0 else 'worse'
        return f'B is {word} than A on images like these {num_images}: {facts}.'
    if outside or small:
        return (f'Undecided on {num_images} images: {facts}; interval and test do not agree, '
                'so it is at the edge of what they can tell.')
    return f'No difference is shown by these {num_images} images: {facts}.'


def _images(a: ImageCounts, b: ImageCounts, num: int) -> tuple[dict[str, int], list[dict]]:
    """How many images changed, and the ``num`` that changed most."""
    own_a, own_b = scores.mean(_iou(a.counts)), scores.mean(_iou(b.counts))
    change = own_b - own_a
    same = np.abs(change) <= NOISE
    numbers = dict(better=int((change > NOISE).sum()), worse=int((change < -NOISE).sum()),
                   same=int(same.sum()), unscored=int(np.isnan(change).sum()))
    order = [i for i in np.argsort(-np.abs(change), kind='stable')
             if not (same[i] or np.isnan(change[i]))]
    return numbers, [dict(file=a.files[i], **_pair(own_a[i], own_b[i])) for i in order[:num]]


def _iou(counts: np.ndarray) -> np.ndarray:
    """(..., 3, K) -> (..., K)."""
    return scores.class_scores(*np.moveaxis(counts, -2, 0))['IoU']


def _pair(one: float, other: float) -> dict[str, float]:
    """Fractions -> percent."""
    return dict(a=100 * float(one), b=100 * float(other), difference=100 * float(other - one))
