"""Scores against hand-worked numbers, cityscapesScripts and scikit-learn."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as sk

from segplug.datasets.cityscapes import CATEGORIES, CLASSES
from segplug.evaluation import scores
from segplug.evaluation.summary import groups_of
from segplug.ops.confusion import confusion_matrix

MATRIX = np.array([[50, 10, 0, 0],   # rows ground truth: 60 of class 0
                   [5, 30, 5, 0],    # 40 of class 1
                   [0, 0, 0, 0],     # class 2: predicted 5 times, in no label
                   [0, 0, 0, 0]])    # class 3: in neither


def test_hand_worked():
    hit, false, missed = scores.counts(MATRIX)
    assert (hit.tolist(), false.tolist(), missed.tolist()) == (
        [50, 30, 0, 0], [5, 10, 5, 0], [10, 10, 0, 0])
    found = scores.class_scores(hit, false, missed, beta=2)
    nan = np.nan
    expected = dict(
        IoU=[50 / 65, 30 / 50, 0, nan],          # hit / (hit + false + missed)
        Acc=[50 / 60, 30 / 40, nan, nan],        # hit / label pixels
        Recall=[50 / 60, 30 / 40, nan, nan],
        Precision=[50 / 55, 30 / 40, 0, nan],    # hit / predicted pixels
        Dice=[100 / 115, 60 / 80, 0, nan],       # 2 hit / (2 hit + false + missed)
        # beta 2: 5 hit / (5 hit + 4 missed + false)
        Fscore=[250 / (250 + 40 + 5), 150 / (150 + 40 + 10), 0, nan])
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-15, err_msg=key)
    assert scores.pixel_accuracy(hit, missed) == 80 / 100


def test_mean_leaves_nan_out():
    assert scores.mean(np.array([0.5, np.nan, 0.])) == 0.25
    assert np.isnan(scores.mean(np.array([np.nan, np.nan])))
    assert scores.mean(np.array([[1., 0.], [np.nan, 1.]])).tolist() == [0.5, 1.]


def test_f_score_of_precision_and_recall():
    found = scores.class_scores(*scores.counts(MATRIX[:2, :2]), beta=0.5)
    precision, recall = found['Precision'], found['Recall']
    np.testing.assert_allclose(found['Fscore'],
                               1.25 * precision * recall / (0.25 * precision + recall), rtol=1e-14)


def test_per_image_vectors_have_their_own_axis():
    hit, false, missed = (np.stack([v, v]) for v in scores.counts(MATRIX))
    assert scores.class_scores(hit, false, missed)['IoU'].shape == (2, 4)
    assert scores.pixel_accuracy(hit, missed).tolist() == [.8, .8]


def test_nothing_labelled():
    zero = np.zeros(3, np.int64)
    assert np.isnan(scores.pixel_accuracy(zero, zero))


@pytest.mark.parametrize('missing', [False, True])
def test_equal_to_cityscapesscripts(missing):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official
    from cityscapesscripts.helpers.labels import labels
    args = official.args
    full = official.generateMatrix(args)
    ids = [label.id for label in labels if not label.ignoreInEval and label.id >= 0]
    rng = np.random.default_rng(0)
    ours = rng.integers(0, 1 << 40, (19, 19))
    ours[np.arange(19), np.arange(19)] *= 7
    if missing:
        ours[3], ours[5], ours[:, 5] = 0, 0, 0  # 3 predicted but absent, 5 in neither
    full[np.ix_(ids, ids)] = ours
    full[0, ids] = 12345  # void pixels are predicted as something and do not count
    iou = scores.class_scores(*scores.counts(ours))['IoU']
    theirs = {labels_id: official.getIouScoreForLabel(labels_id, full, args) for labels_id in ids}
    np.testing.assert_allclose(iou, list(theirs.values()), rtol=0, atol=1e-12)
    assert abs(scores.mean(iou) - official.getScoreAverage(theirs, args)) < 1e-12
    assert np.isnan(iou[5]) == missing
    _check_categories(official, ours, full, args)


def _check_categories(official, ours, full, args):
    groups = groups_of([name for _, name, _ in CLASSES], CATEGORIES)
    iou = scores.class_scores(*scores.category_counts(ours, list(groups.values())))['IoU']
    theirs = {name: official.getIouScoreForCategory(name, full, args)
              for name in official.category2labels}
    assert {name for name, value in theirs.items() if not np.isnan(value)} == set(groups)
    np.testing.assert_allclose(iou, [theirs[name] for name in groups], rtol=0, atol=1e-12)
    assert abs(scores.mean(iou) - official.getScoreAverage(theirs, args)) < 1e-12


def test_frequency_weighted_by_hand():
    # class 0: 60 of 100 labelled pixels, IoU 50 / 65; class 1: 40, IoU 30 / 50; 2 and 3: none
    found = scores.frequency_weighted_iou(*scores.counts(MATRIX))
    assert found == pytest.approx(0.6 * 50 / 65 + 0.4 * 30 / 50, abs=1e-15)
    assert np.isnan(scores.frequency_weighted_iou(*np.zeros((3, 4), int)))


def test_categories_by_hand():
    # classes 0 and 1 together: 50 + 10 + 5 + 30 right, none false, 5 missed to class 2
    found = scores.category_counts(MATRIX, [[0, 1], [2], [3]])
    assert [v.tolist() for v in found] == [[95, 0, 0], [0, 5, 0], [5, 0, 0]]
    assert [v.shape for v in scores.category_counts(MATRIX, [])] == [(0,)] * 3


def test_one_category_per_class_is_the_class():
    singles = scores.category_counts(MATRIX, [[0], [1], [2], [3]])
    for ours, theirs in zip(singles, scores.counts(MATRIX), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.filterwarnings('ignore:A single label was found:UserWarning')  # K = 1
@pytest.mark.parametrize(('k', 'beta'), [(1, 1), (4, 1), (19, 2), (40, 0.5)])
def test_equal_to_scikit_learn(k, beta):
    """On pixels with absent classes (the last one) and predicted but absent ones (the first)."""
    rng = np.random.default_rng(k)
    label, pred = rng.integers(0, max(k - 1, 1), (2, 3000))
    pred = np.where(rng.random(3000) < 0.6, label, pred)
    label[(label == 0) & (k > 2)] = 1
    matrix = confusion_matrix(pred, label, k, None)
    labels = list(range(k))
    assert np.array_equal(matrix, sk.confusion_matrix(label, pred, labels=labels))
    counts = scores.counts(matrix)
    found = scores.class_scores(*counts, beta)
    each = dict(labels=labels, average=None)
    nan = dict(each, zero_division=np.nan)
    expected = dict(Precision=sk.precision_score(label, pred, **nan),
                    Recall=sk.recall_score(label, pred, **nan),
                    Acc=sk.recall_score(label, pred, **nan),
                    Dice=sk.f1_score(label, pred, **nan),
                    Fscore=sk.fbeta_score(label, pred, beta=beta, **nan),
                    # jaccard_score has no nan for a class that is in neither
                    IoU=np.where(sum(counts) > 0,
                                 sk.jaccard_score(label, pred, **each, zero_division=0), np.nan))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-12, err_msg=name)
    weighted = sk.jaccard_score(label, pred, labels=labels, average='weighted', zero_division=0)
    assert abs(scores.frequency_weighted_iou(*counts) - weighted) < 1e-12
    assert abs(scores.pixel_accuracy(counts[0], counts[2]) - sk.accuracy_score(label, pred)) < 1e-12


def test_categories_equal_scikit_learn_on_merged_maps():
    rng = np.random.default_rng(0)
    label, pred = rng.integers(0, 6, (2, 2000))
    pred = np.where(rng.random(2000) < 0.5, label, pred)
    groups = [[0, 3], [5], [1, 2, 4]]
    merged = np.empty(6, int)
    for i, ids in enumerate(groups):
        merged[ids] = i
    found = scores.class_scores(*scores.category_counts(
        confusion_matrix(pred, label, 6, None), groups))['IoU']
    np.testing.assert_allclose(
        found, sk.jaccard_score(merged[label], merged[pred], average=None), rtol=0, atol=1e-12)
