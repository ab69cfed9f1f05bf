"""The rule that stands in for weight files: its numbers may never change."""

import numpy as np
import pytest
from weights import fill, image, uniform


def test_numbers_are_those_of_splitmix64():
    """crc32 of the empty name is 0: the stream of seed 0, which begins with 0xE220A8397B1DCDAF and
    0x6E789E6AA1B965F4; their upper 24 bits over 2^23, less 1."""
    first, second = uniform('', (2,))
    assert first == 0xE220A8 / 2 ** 23 - 1
    assert second == np.float32(0x6E789E / 2 ** 23 - 1)


def test_a_name_has_its_own_numbers():
    assert not np.array_equal(uniform('a', (9,)), uniform('b', (9,)))
    assert np.array_equal(uniform('a', (3, 3)).ravel(), uniform('a', (9,)))


def test_ranges_by_kind():
    """A 3x3 convolution of 6 channels: sqrt(6 / 54) = 1 / 3 at most; the last norm of a block is
    a quarter of the others."""
    shapes = {'c.weight': (40, 6, 3, 3), 'b.bn1.weight': (99,), 'b.bn2.weight': (99,),
              'b.bn2.bias': (99,), 'b.bn2.running_var': (99,), 'b.bn2.num_batches_tracked': ()}
    values = fill(shapes)
    assert {name: value.shape for name, value in values.items()} == shapes
    assert np.abs(values['c.weight']).max() == pytest.approx(1 / 3, rel=0.01)
    assert values['b.bn1.weight'].mean() == pytest.approx(1, abs=0.05)
    assert values['b.bn2.weight'].mean() == pytest.approx(0.25, abs=0.02)
    assert np.abs(values['b.bn2.bias']).max() <= 0.1
    assert values['b.bn2.running_var'].min() >= 0.5
    assert values['b.bn2.num_batches_tracked'] == 0


def test_an_image_is_smooth_and_of_its_shape():
    """Noise of 0.1 over a field that moves at most 4 / 16 a pixel."""
    picture = image((1, 3, 40, 50))
    assert picture.shape == (1, 3, 40, 50)
    assert picture.dtype == np.float32
    assert np.abs(picture).max() <= 2.1
    assert np.abs(np.diff(picture, axis=3)).max() <= 4 / 16 + 0.2
