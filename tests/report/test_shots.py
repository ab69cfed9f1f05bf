"""Pictures of a test: what the layers show, and that they keep to their budget."""

import numpy as np
import pytest
from test_pages import pixels

from segplug.report.shots import Shot, error_layer, shown

RED, PALE = [208, 32, 40], [232, 236, 241]


def noisy(name='a', size=(300, 600)):
    rng = np.random.default_rng(0)
    return Shot(name, 5., (), rng.integers(0, 256, (*size, 3), np.uint8),
                *rng.integers(0, 5, (2, *size), np.uint8))


def test_errors_are_red_and_what_is_not_scored_is_hatched():
    label = np.array([[0, 1, 255, 2]], np.uint8)
    prediction = np.array([[0, 2, 1, 2]], np.uint16)
    layer = error_layer(label, prediction, 255).tolist()[0]
    assert layer[0] == layer[3] == PALE
    assert layer[1] == RED
    assert layer[2] in ([255] * 3, [30] * 3), 'a stripe'


def test_a_difference_of_256_is_an_error_too():
    label, prediction = np.array([[1]], np.uint8), np.array([[257]], np.uint16)
    assert error_layer(label, prediction, 255).tolist() == [[RED]]


@pytest.mark.parametrize('budget', [4_000_000, 400_000, 40_000])
def test_pictures_keep_to_their_budget(budget):
    made = shown([noisy('a'), noisy('b')], budget, 5, 255, None)
    assert all(one.layers for one in made)
    assert 0.05 * budget < sum(map(len, made)) <= budget
    assert set(made[0].layers) == {'image', 'label', 'prediction', 'errors'}


def test_labels_made_smaller_are_classes_still():
    """Not what lies between 0 and 4 where both meet: each pixel is of one of the two colours."""
    label = np.zeros((60, 800), np.uint8)
    label[:, 1::2] = 4
    palette = [[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3], [200, 0, 0]]
    one = Shot('a', 5., (), np.zeros((60, 800, 3), np.uint8), label, label)
    made, = shown([one], 10**6, 5, 255, palette)
    assert made.size == (720, 54)
    for name, colours in (('label', {(0, 0, 0), (200, 0, 0)}),
                          ('prediction', {(0, 0, 0), (200, 0, 0)}), ('errors', {tuple(PALE)})):
        drawn = pixels(made.layers[name], 'png')
        assert {tuple(c) for c in drawn.reshape(-1, 3).tolist()} == colours, name


def test_what_is_small_stays_as_it_is():
    assert shown([noisy(size=(20, 30))], 10**6, 5, 255, None)[0].size == (30, 20)


def test_what_cannot_be_shown_takes_no_room():
    made = shown([Shot('a', 5., error='gone'), noisy()], 10**6, 5, 255, None)
    assert made[0].layers is None
    assert len(made[0]) == 0
    assert made[1].layers
    assert [one.layers for one in shown([noisy()], 10, 5, 255, None)] == [None]
