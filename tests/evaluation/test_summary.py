"""What metrics.json holds, from a matrix worked by hand, and the classes of each category."""

import numpy as np
import pytest

from segplug.errors import ConfigError
from segplug.evaluation.summary import groups_of, summarise

CLASSES = ('a', 'b', 'c')
# IoU: a 6 / (6 + 2 + 1), b 4 / (4 + 1 + 2), c in neither; 10 of 13 pixels are right
MATRIX = np.array([[6, 1, 0], [2, 4, 0], [0, 0, 0]])


def test_hand_worked():
    found = summarise(MATRIX, CLASSES, groups=dict(ab=[0, 1], c=[2])).flat()
    iou = [100 * 6 / 9, 100 * 4 / 7]
    expected = {
        'aAcc': 1000 / 13, 'FWIoU': 7 / 13 * iou[0] + 6 / 13 * iou[1], 'mIoU': sum(iou) / 2,
        'mAcc': (600 / 7 + 400 / 6) / 2, 'mRecall': (600 / 7 + 400 / 6) / 2,
        'mPrecision': (600 / 8 + 400 / 5) / 2, 'mDice': (1200 / 15 + 800 / 11) / 2,
        'mFscore': (1200 / 15 + 800 / 11) / 2, 'mIoU_category': 100, 'IoU.a': iou[0],
        'IoU_category.ab': 100}
    assert {k: found[k] for k in expected} == pytest.approx(expected, abs=1e-12)
    assert np.isnan([found['IoU.c'], found['IoU_category.c'], found['Fscore.c']]).all()
    # aAcc, FWIoU, six means and 3 x 6 classes; then the mean and two of the categories
    assert len(found) == 2 + 6 + 18 + 3
    assert all(type(v) is float for v in found.values())


def test_without_categories_there_is_no_word_of_them():
    found = summarise(MATRIX, CLASSES)
    assert found.absent == ('c',)
    assert not [k for k in found.flat() if 'category' in k]


def test_nan_to_num_goes_into_means_but_has_no_weight():
    plain = summarise(MATRIX, CLASSES, groups=dict(ab=[0, 1], c=[2]))
    found = summarise(MATRIX, CLASSES, groups=dict(ab=[0, 1], c=[2]), nan_to_num=0.5)
    assert found.means['IoU'] == pytest.approx((2 * plain.means['IoU'] + 50) / 3)
    assert found.category_mean == pytest.approx((100 + 50) / 2)
    assert found.weighted == plain.weighted


@pytest.mark.parametrize('k', [1, 300])
def test_nothing_was_labelled_or_predicted(k):
    found = summarise(np.zeros((k, k), np.int64), [f'röd {i}' for i in range(k)],
                      groups=dict(all=list(range(k))))
    assert np.isnan(list(found.flat().values())).all()
    assert len(found.absent) == k


def test_groups_of_a_choice_of_classes():
    categories = dict(x=('a', 'b'), y=['c'], z=('d',))
    assert groups_of(CLASSES, categories) == dict(x=[0, 1], y=[2])
    # in another order, and without a: z and y have none left
    assert groups_of(('b', 'e'), categories) == dict(x=[0])
    assert groups_of(CLASSES, None) == groups_of((), categories) == {}


def test_a_forgotten_comma_is_an_error():
    with pytest.raises(ConfigError, match=r"category 'sky'.*write \('sky',\)"):
        groups_of(('sky',), dict(sky=('sky')))
