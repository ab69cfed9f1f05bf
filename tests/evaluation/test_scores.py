"""Scores against hand-worked numbers and against cityscapesScripts."""

import warnings

import numpy as np
import pytest

from segplug.evaluation import scores

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
