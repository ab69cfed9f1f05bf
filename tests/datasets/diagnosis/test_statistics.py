"""Numbers of classes, by hand."""

import numpy as np
import pytest
from diagnosis_parts import part_of

from segplug.datasets.diagnosis.facts import ImageFacts
from segplug.datasets.diagnosis.statistics import part_numbers
from segplug.datasets.diagnosis.tally import (
    class_weights,
    image_counts,
    inverse_frequency_weights,
    tally,
)


def test_areas_shares_and_bins():
    """Class 0 has 1 of 1000 (0.1 %, the first bin) and 600 of 1000; class 2 the rest."""
    part = part_of({0: 1, 2: 999, 255: 50}, {0: 600, 2: 400}, {255: 7}, num_classes=3)
    part.images = [ImageFacts('a', (3, 5)), ImageFacts('b'), ImageFacts('c', (3, 5))]
    found = part_numbers(part, tally(part))
    road, absent, rest = found.classes
    assert (road.pixels, road.images, road.mean_area) == (601, 2, 300.5)
    assert (road.share, road.mean_share) == pytest.approx((0.3005, 0.3005))
    assert road.histogram == (1, 0, 0, 0, 1)
    assert (absent.pixels, absent.images, absent.mean_area, absent.mean_share) == (0, 0, 0, 0)
    assert rest.histogram == (0, 0, 0, 1, 1)  # 40 % and 99.9 %
    assert found.together.tolist() == [[2, 0, 2], [0, 0, 0], [2, 0, 2]]
    assert (found.pixels, found.ignored, found.labels) == (2057, 57, 3)
    assert found.sizes == {(3, 5): 2, (1, 1): 1}  # of b the label's


def test_rows_of_images_are_what_the_tally_adds_up():
    part = part_of({0: 6, 2: 4, 9: 5}, {1: 3}, num_classes=3, reduce_zero_label=True)
    counts = image_counts(part)
    assert counts.tolist() == [[0, 4, 0], [3, 0, 0]]
    assert counts.sum(axis=0).tolist() == tally(part).pixels.tolist()


def test_a_single_class_is_told_from_the_rest():
    part = part_of({0: 6, 1: 4}, num_classes=1, classes=('crack',))
    part.images = [ImageFacts('a')]
    assert [(c.name, c.pixels) for c in part_numbers(part, tally(part)).classes] == [
        ('not crack', 6), ('crack', 4)]


def test_inverse_frequency():
    """10 pixels, 2 classes present: 10 / (2 * 8) and 10 / (2 * 2)."""
    assert inverse_frequency_weights(np.array([8, 0, 2])) == [0.625, 1, 2.5]
    assert inverse_frequency_weights(np.zeros(2, np.int64)) == [1, 1]
    sklearn = pytest.importorskip('sklearn.utils.class_weight')
    labels = np.repeat([0, 1, 2], [3, 5, 7])
    theirs = sklearn.compute_class_weight('balanced', classes=np.arange(3), y=labels)
    assert inverse_frequency_weights(np.bincount(labels)) == pytest.approx(theirs, abs=1e-4)


def test_weights_are_of_training_sets_with_the_same_classes():
    part = part_of({0: 1, 1: 3}, num_classes=2, is_training=True)
    other = part_of({0: 1}, num_classes=3, is_training=True)
    assert set(class_weights([part], [tally(part)])) == {'median_frequency', 'inverse_log'}
    assert class_weights([part, other], [tally(part), tally(other)]) == {}
    part.is_training = False
    assert class_weights([part], [tally(part)]) == {}
