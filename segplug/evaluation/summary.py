"""Every score that one confusion matrix holds, in percent: what metrics.json and the log show.

Letters: K classes, I images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError
from . import scores


@dataclass(frozen=True)
class Summary:
    """Scores in percent, unrounded; nan where one is not defined.

    Attributes:
        classes: K names.
        columns: Name of a score of `scores.class_scores` -> (K,) float64.
        means: The same names -> mean over the classes that have a value.
        accuracy, weighted: aAcc and frequency-weighted IoU.
        categories: Name of a category -> IoU; empty where the data set has none.
        category_mean: Mean over the categories that have a value.
        loose: Names of the classes in no category, where there are categories.
        absent: Names of the classes in neither labels nor predictions.
    """

    classes: tuple[str, ...]
    columns: dict[str, np.ndarray]
    means: dict[str, float]
    accuracy: float
    weighted: float
    categories: dict[str, float]
    category_mean: float
    loose: tuple[str, ...]
    absent: tuple[str, ...]

    def flat(self) -> dict[str, float]:
        """What metrics.json holds: ``aAcc``, ``mIoU``, ..., ``FWIoU``, ``IoU.<class>``, ..., and
        ``mIoU_category``, ``IoU_category.<name>`` where there are categories."""
        values = dict(aAcc=self.accuracy, FWIoU=self.weighted)
        values.update((f'm{k}', v) for k, v in self.means.items())
        if self.categories:
            values['mIoU_category'] = self.category_mean
        values.update((f'{k}.{name}', float(x)) for k, column in self.columns.items()
                      for name, x in zip(self.classes, column, strict=True))
        values.update((f'IoU_category.{k}', v) for k, v in self.categories.items())
        return values


def summarise(matrix: np.ndarray, classes: Sequence[str], *, beta: float = 1.,
              nan_to_num: float | None = None, groups: Mapping[str, Sequence[int]] | None = None
              ) -> Summary:
    """All scores of a matrix.

    Args:
        matrix: (K, K) int64, rows ground truth.
        classes: K names.
        beta: Weight of recall in the F-score.
        nan_to_num: Fraction that replaces nan before a mean; None leaves nan out.
        groups: As `groups_of` gives them.
    """
    def percent(values):
        return 100 * (values if nan_to_num is None else np.nan_to_num(values, nan=nan_to_num))

    groups = groups or {}
    placed = {i for ids in groups.values() for i in ids}
    counts = scores.counts(matrix)
    columns = {k: percent(v) for k, v in scores.class_scores(*counts, beta).items()}
    categories = percent(scores.class_scores(
        *scores.category_counts(matrix, list(groups.values())))['IoU'])
    return Summary(
        tuple(classes), columns, {k: float(scores.mean(v)) for k, v in columns.items()},
        100 * float(scores.pixel_accuracy(counts[0], counts[2])),
        100 * float(scores.frequency_weighted_iou(*counts)),
        dict(zip(groups, categories.tolist(), strict=True)), float(scores.mean(categories)),
        tuple(name for i, name in enumerate(classes) if groups and i not in placed),
        tuple(name for name, n in zip(classes, sum(counts), strict=True) if n == 0))


def groups_of(classes: Sequence[str], categories: Mapping[str, Sequence[str]] | None
              ) -> dict[str, list[int]]:
    """The class ids of each category.

    Args:
        classes: K names, which may be some of the data set's.
        categories: Name of a category -> names of its classes (``categories`` of the metainfo).
            Names that are not among ``classes`` are left out, and a category without any.

    Raises:
        ConfigError: A category's classes are one string.
    """
    place = {name: i for i, name in enumerate(classes)}
    groups = {}
    for category, names in (categories or {}).items():
        if isinstance(names, str):
            raise ConfigError(f'The category {category!r} names its classes in one string.',
                              got=repr(names), expected='a list of names', culprit=names,
                              fix=f'write ({names!r},)')
        ids = [place[name] for name in names if name in place]
        if ids:
            groups[category] = ids
    return groups
