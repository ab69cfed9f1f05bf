"""What the statistics print, by hand."""

import numpy as np

from segplug.apis.statistics import Statistics
from segplug.apis.statistics_text import text
from segplug.datasets.diagnosis.statistics import ClassNumbers, PartNumbers


def part(sizes, classes=(), unreadable=0):
    return PartNumbers('train', 4, 3, unreadable, 200, 50, sizes, list(classes), np.zeros((0, 0)))


def test_a_part():
    """50 of 200 pixels are ignored."""
    road = ClassNumbers(0, 'road', 90, 0.6, 2, 45., 0.5, (0, 0, 0, 1, 1))
    first, sizes, head, row = text(Statistics('c.py', [part({(8, 6): 4}, [road], 1)])).splitlines()
    assert first == ('train: 4 samples, 3 labels, 1 that cannot be read (segplug doctor says why), '
                     '25.00 % of the pixels ignored')
    assert sizes == 'sizes, height x width: 8x6 in 4'
    assert ' '.join(head.split()) == ('class share images mean area mean share <= 0.1 % <= 1 % '
                                      '<= 10 % <= 50 % > 50 %')
    assert row.split() == ['0', 'road', '60.000', '%', '2', '45', '50.00', '%', *'00011']


def test_many_sizes_and_none():
    sizes = {(10 + i, 20 - i): 7 - i for i in range(7)}
    assert 'width: 10x20 in 7, 11x19 in 6, 12x18 in 5, 13x17 in 4, 14x16 in 3, and 2 more; 10 to ' \
        '16 high, 14 to 20 wide' in text(Statistics('c.py', [part(sizes)]))
    assert 'width: not known' in text(Statistics('c.py', [part({})]))


def test_lines_for_the_config():
    found = text(Statistics('c.py', weights={'inverse_frequency': [0.5, 1.]}, mean=[123.4567891],
                            std=[1.], num_decoded=2, notes=['val: gone']))
    weights, mean, note = found.split('\n\n')
    assert weights.splitlines()[1:] == [
        '  class_weight=[0.5, 1.0]',
        '    (labelled pixels / (classes * pixels of the class))']
    assert mean.splitlines()[1:] == ['  mean=[123.457],', '  std=[1.0]']
    assert note == 'val: gone'
    assert text(Statistics('c.py')) == ''
