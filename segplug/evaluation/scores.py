"""Scores from counts of pixels: pure functions, float64, unrounded, as fractions.

Every score of a class is a ratio of its true positives, false positives and false negatives;
where the ratio's own denominator is 0 it is nan and stays out of the mean. So a class has no
IoU, Dice or F-score only when it is in neither label nor prediction, and predicted but absent
scores 0 there; accuracy and recall need label pixels, precision needs predicted ones.
Letters: K classes. Definitions: Everingham et al., The PASCAL VOC challenge (2010), section
4.3, for IoU; van Rijsbergen, Information Retrieval (1979), chapter 7, for the F-score; Long et
al., Fully convolutional networks (2015), section 5, for the frequency-weighted IoU; Cordts et
al., The Cityscapes dataset (2016), section 4.1, for categories.
"""

from collections.abc import Sequence

import numpy as np

# What mmsegmentation's `iou_metrics` names stand for.
COLUMNS = dict(mIoU=('IoU', 'Acc'), mDice=('Dice', 'Acc'),
               mFscore=('Fscore', 'Precision', 'Recall'))


def counts(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(K, K) int64, rows ground truth -> true positives, false positives, false negatives."""
    hit = np.diagonal(matrix).copy()
    return hit, matrix.sum(axis=0) - hit, matrix.sum(axis=1) - hit


def class_scores(hit: np.ndarray, false: np.ndarray, missed: np.ndarray,
                 beta: float = 1.0) -> dict[str, np.ndarray]:
    """Scores of each class.

    Args:
        hit, false, missed: (..., K) integer: true positives, false positives, false negatives.
        beta: Weight of recall in the F-score.

    Returns:
        IoU, Acc, Dice, Fscore, Precision, Recall: (..., K) float64 in [0, 1] or nan. Recall is
        Acc under its other name.
    """
    weight = float(beta) ** 2
    recall = _ratio(hit, hit + missed)
    return dict(
        IoU=_ratio(hit, hit + false + missed), Acc=recall,
        Dice=_ratio(2 * hit, 2 * hit + false + missed),
        Fscore=_ratio((1 + weight) * hit, (1 + weight) * hit + weight * missed + false),
        Precision=_ratio(hit, hit + false), Recall=recall)


def pixel_accuracy(hit: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """(...,) float64: share of the labelled pixels that are right (aAcc); nan without any."""
    return _ratio(hit.sum(-1), hit.sum(-1) + missed.sum(-1))


def frequency_weighted_iou(hit: np.ndarray, false: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """(..., K) counts -> (...,) float64: each class's IoU times its share of the labelled pixels,
    summed; nan without labelled pixels. A class in no label has no weight."""
    labelled = hit + missed
    iou = np.nan_to_num(_ratio(hit, hit + false + missed))
    return _ratio((labelled * iou).sum(-1), labelled.sum(-1))


def category_counts(matrix: np.ndarray, groups: Sequence[Sequence[int]]
                    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`counts` of categories: a pixel is right where prediction and label share a category.

    Args:
        matrix: (K, K) int64, rows ground truth.
        groups: The class ids of each of G categories.

    Returns:
        (G,) int64 each: true positives, false positives, false negatives.
    """
    hit, predicted, labelled = np.zeros((3, len(groups)), np.int64)
    for i, ids in enumerate(map(list, groups)):
        hit[i] = matrix[np.ix_(ids, ids)].sum()
        predicted[i], labelled[i] = matrix[:, ids].sum(), matrix[ids].sum()
    return hit, predicted - hit, labelled - hit


def mean(values: np.ndarray) -> np.ndarray:
    """(..., K) -> (...,) float64: mean over the classes that have a value; nan without any."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.).sum(-1), known.sum(-1))


def _ratio(part, whole) -> np.ndarray:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)
