"""Sums over labels by hand, and the two formulas of class weights."""

import math

import numpy as np
import pytest
from diagnosis_parts import part_of

from segplug.datasets.diagnosis.tally import (
    inverse_log_weights,
    median_frequency_weights,
    tally,
)


def test_pixels_and_images_of_each_class():
    found = tally(part_of({0: 6, 2: 4, 255: 5}, {0: 3, 9: 1}, {255: 7}, num_classes=3))
    assert found.pixels.tolist() == [9, 0, 4]
    assert found.images.tolist() == [2, 0, 1]
    # Labelled pixels where class 0 is: 6 + 4 and 3; where class 2 is: 6 + 4.
    assert found.pixels_where.tolist() == [13, 0, 10]
    assert found.ignored == 12
    assert found.outside == {9: {'1': 1}}
    assert found.all_ignored == ['2']
    assert (found.num_labelled, found.num_pixels) == (13, 26)


def test_maps_are_followed_and_values_before_them_kept():
    found = tally(part_of({0: 1, 1: 2, 3: 4}, num_classes=2, reduce_zero_label=True))
    assert found.pixels.tolist() == [2, 0]
    assert found.ignored == 1
    assert found.outside == {2: {'0': 4}}
    assert found.raw_of[2] == [3]
    found = tally(part_of({0: 1, 7: 2}, num_classes=2, value_map={7: 1}))
    assert found.pixels.tolist() == [1, 2]
    found = tally(part_of({0: 1, 1: 2}, num_classes=2, label_map={0: 1, 1: 255}))
    assert (found.pixels.tolist(), found.ignored) == ([0, 1], 2)


def test_labels_that_are_mapped_already_are_not_mapped_again():
    found = tally(part_of({0: 1, 1: 2}, num_classes=2, reduce_zero_label=True, is_mapped=True))
    assert found.pixels.tolist() == [1, 2]


def test_a_single_class_has_two_values():
    found = tally(part_of({0: 1, 1: 2, 2: 3}, num_classes=1))
    assert (found.pixels.tolist(), list(found.outside)) == ([1, 2], [2])


def test_weights_by_median_frequency():
    # Frequencies 10/20, 5/20, 1/10; the median is 1/4. The absent class gets 1.
    weights = median_frequency_weights(np.array([10, 5, 1, 0]), np.array([20, 20, 10, 0]))
    assert weights == [0.5, 1.0, 2.5, 1.0]
    assert median_frequency_weights(np.zeros(2, int), np.zeros(2, int)) == [1.0, 1.0]


def test_weights_by_inverse_logarithm():
    weights = inverse_log_weights(np.array([30, 10, 0]))
    assert weights == pytest.approx([1 / math.log(1.77), 1 / math.log(1.27), 1 / math.log(1.02)],
                                    abs=1e-4)
