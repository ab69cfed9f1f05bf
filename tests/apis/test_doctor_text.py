"""The doctor's table, by hand."""

from diagnosis_parts import part_of

from segplug.apis.doctor_text import columns, text
from segplug.apis.examining import Report
from segplug.datasets.diagnosis.tally import tally


def report(*parts, **more):
    return Report('c.py', parts=list(parts), tallies=[tally(part) for part in parts], **more)


def test_columns():
    assert columns([('a', 'bb'), ('ccc', 'd')]) == ['a    bb', 'ccc   d']


def test_shares_of_each_part():
    """8 + 4 pixels have a class in train: 8 / 12 are road; 4 of 16 in all are ignored."""
    train = part_of({0: 8, 255: 4}, {1: 4}, num_classes=2, classes=('road', 'sky'))
    val = part_of({1: 1}, num_classes=2, classes=('road', 'sky'))
    val.name = 'val'
    head, *rows, _, last = text(report(train, val, seconds=1.25)).splitlines()
    assert head.split() == ['class', 'train', 'val']
    assert [row.split() for row in rows] == [
        ['0', 'road', '66.667', '%', 'in', '1', '0.000', '%', 'in', '0'],
        ['1', 'sky', '33.333', '%', 'in', '1', '100.000', '%', 'in', '1'],
        ['ignored', '25.00', '%', '0.00', '%'], ['labels', '2', '1']]
    assert last == 'c.py: nothing found in 3 samples, 1.2 s'


def test_a_single_class_is_1():
    rows = text(report(part_of({0: 6, 1: 2}, num_classes=1, classes=('crack',)))).splitlines()
    assert [row.split() for row in rows[1:3]] == [['0', 'not', 'crack', '75.000', '%', 'in', '1'],
                                                  ['1', 'crack', '25.000', '%', 'in', '1']]


def test_of_many_classes_the_rarest():
    """Class k of 300 has k pixels, 44850 in all."""
    found = text(report(part_of({k: k for k in range(1, 300)}, num_classes=300,
                                ignore_index=65535)))
    assert found.splitlines()[1].split() == ['0', '0', '0.000', '%', 'in', '0']
    assert '59 59    0.132 % in 1' in found  # 59 / 44850
    assert '60 60' not in found
    assert '(the 60 rarest of 300 classes; all are in --json)' in found
    weights = text(report(part_of({0: 1}, num_classes=2), weights={'inverse_log': [1.5, 2.]}))
    assert '  class_weight=[1.5, 2.0]\n    (1 / ln(1.02' in weights
