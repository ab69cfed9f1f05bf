"""The text that a test logs."""

import numpy as np

from segplug.evaluation import tables
from segplug.evaluation.bootstrap import Interval
from segplug.evaluation.summary import summarise

MATRIX = np.array([[6, 1, 0], [2, 4, 0], [0, 0, 0]])  # IoU 66.67 and 57.14; c in neither
SUMMARY = summarise(MATRIX, ('a', 'b', 'c'), groups=dict(ab=[0, 1], c=[2]))


def cells(text):
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in text.splitlines() if line.startswith('|')]


def test_class_table():
    found = tables.class_table(SUMMARY, ['IoU', 'Acc'])
    assert cells(found) == [['Class', 'IoU', 'Acc'], ['a', '66.67', '85.71'],
                            ['b', '57.14', '66.67'], ['c', 'nan', 'nan'],
                            ['mean', '61.90', '76.19']]


def test_lines():
    assert tables.absent_line(SUMMARY, None) == \
        'In neither labels nor predictions, left out of the mean: c'
    assert tables.absent_line(SUMMARY, 0.5).endswith('counted as 50.00: c')
    assert tables.category_line(SUMMARY) == 'IoU of categories: ab 100.00, c nan; mean 100.00'
    loose = summarise(MATRIX, ('a', 'b', 'c'), groups=dict(x=[0]))
    # a is right 6 times, 2 false and 1 missed
    assert tables.category_line(loose) == \
        'IoU of categories: x 66.67; mean 66.67; in no category: b, c'
    bare = summarise(MATRIX[:2, :2], ('a', 'b'))
    assert tables.absent_line(bare, None) is None
    assert tables.category_line(bare) is None


def test_mean_line():
    # 10 of 13 pixels; 7 / 13 * 66.67 + 6 / 13 * 57.14
    plain = 'aAcc 76.92, FWIoU 62.27, mIoU 61.90'
    assert tables.mean_line(SUMMARY, None, None) == plain
    assert tables.mean_line(SUMMARY, Interval(0.619, np.nan, np.nan), 0.95) == plain
    assert tables.mean_line(SUMMARY, Interval(0.619, 0.5, 0.7012), 0.9) == \
        plain + ' (90 % interval over images 50.00 to 70.12)'


def test_worst_images():
    # image 0: a 1 / 2, b 1 / 2. 1: no label. 2: a 0 / 3, b 0 / 3. 3: a 3 / 4, b 0 / 1, c 0 / 2
    hit = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0], [3, 0, 0]])
    false = np.array([[1, 0, 0], [0, 0, 0], [2, 1, 0], [0, 1, 0]])
    missed = np.array([[0, 1, 0], [0, 0, 0], [1, 2, 0], [1, 0, 2]])
    arguments = (['p', 'q', 'r', 's'], hit, false, missed, ('a', 'b', 'c'))
    found = tables.worst_table(*arguments, 2)
    assert found.startswith('The 2 images with the lowest mIoU')
    # r: both 0, both 3 wrong pixels, the first one counts; s: (75 + 0 + 0) / 3, c is 2 pixels wrong
    assert cells(found) == [['File', 'mIoU', 'aAcc', 'Worst class'],
                            ['r', '0.00', '0.00', 'a 0.00'], ['s', '25.00', '50.00', 'c 0.00']]
    assert [row[0] for row in cells(tables.worst_table(*arguments, 9))[1:]] == ['r', 's', 'p']
