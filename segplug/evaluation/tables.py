"""What a test logs: the table of classes, the categories, one line of means, the worst images.

Pure functions that return text; every number is a percentage. Letters: K classes, I images.
"""

from collections.abc import Sequence

import numpy as np
from terminaltables import AsciiTable

from . import scores
from .bootstrap import Interval
from .summary import Summary


def class_table(summary: Summary, chosen: Sequence[str]) -> str:
    """One row a class and their mean; the columns ``chosen``."""
    columns = [summary.columns[c] for c in chosen]
    lines = [[name, *(f'{v[k]:.2f}' for v in columns)] for k, name in enumerate(summary.classes)]
    lines.append(['mean', *(f'{summary.means[c]:.2f}' for c in chosen)])
    return 'Per class, in percent:\n' + _table(['Class', *chosen], lines, footing=True)


def absent_line(summary: Summary, nan_to_num: float | None) -> str | None:
    """Which classes are in neither labels nor predictions; None if there are none."""
    if not summary.absent:
        return None
    rule = ('left out of the mean' if nan_to_num is None
            else f'counted as {100 * nan_to_num:.2f}')
    return f'In neither labels nor predictions, {rule}: {", ".join(summary.absent)}'


def category_line(summary: Summary) -> str | None:
    """IoU of each category, their mean, and the classes in none, as after a misspelt name; None
    where the data set has no categories."""
    if not summary.categories:
        return None
    each = ', '.join(f'{name} {iou:.2f}' for name, iou in summary.categories.items())
    loose = f'; in no category: {", ".join(summary.loose)}' if summary.loose else ''
    return f'IoU of categories: {each}; mean {summary.category_mean:.2f}{loose}'


def mean_line(summary: Summary, interval: Interval | None, level: float | None) -> str:
    """aAcc, frequency-weighted IoU and mIoU, with its interval (fractions) where it is known."""
    line = (f'aAcc {summary.accuracy:.2f}, FWIoU {summary.weighted:.2f}, '
            f'mIoU {summary.means["IoU"]:.2f}')
    if interval is None or np.isnan(interval.low):
        return line
    return (f'{line} ({100 * level:g} % interval over images '
            f'{100 * interval.low:.2f} to {100 * interval.high:.2f})')


def worst_table(files: Sequence[str], hit: np.ndarray, false: np.ndarray, missed: np.ndarray,
                classes: Sequence[str], count: int) -> str:
    """The ``count`` images with the lowest mIoU, worst first; those without labels left out.

    The worst class of an image is the one of lowest IoU, among equals (as 0 often is) the one
    with the most wrong pixels.

    Args:
        files: I names.
        hit, false, missed: (I, K) int64.
        classes: K names.
        count: At least 1.
    """
    iou = scores.class_scores(hit, false, missed)['IoU']
    mean, accuracy = scores.mean(iou), scores.pixel_accuracy(hit, missed)
    order = [i for i in np.argsort(mean, kind='stable')[:count] if not np.isnan(mean[i])]
    lines = []
    for i in order:
        worst = np.lexsort((-(false[i] + missed[i]), iou[i]))[0]  # nan sorts last
        lines.append([files[i], f'{100 * mean[i]:.2f}', f'{100 * accuracy[i]:.2f}',
                      f'{classes[worst]} {100 * iou[i, worst]:.2f}'])
    title = f'The {len(lines)} images with the lowest mIoU, in percent:\n'
    return title + _table(['File', 'mIoU', 'aAcc', 'Worst class'], lines)


def _table(head: list[str], lines: list[list[str]], footing: bool = False) -> str:
    table = AsciiTable([head, *lines])
    table.inner_footing_row_border = footing
    table.justify_columns = dict.fromkeys(range(1, len(head)), 'right')
    return table.table
