"""When a normalisation is far from the images, in the order that the preprocessor has."""

import numpy as np
import pytest

from segplug.datasets.diagnosis.finding import Place
from segplug.datasets.diagnosis.of_images import normalisation_findings, pixels_of
from segplug.datasets.diagnosis.tally import Part

# Blue is dark and red is bright; every channel is 10 more in the upper half, 10 less below.
IMG = np.array([20., 100., 200.]) + np.repeat([10., -10.], 8)[:, None, None] * np.ones((16, 8, 1))


@pytest.mark.parametrize(('mean', 'std', 'swaps', 'is_far'), [
    ([200, 100, 20], [10] * 3, True, False),
    ([200, 100, 20], [10] * 3, False, True),
    ([20, 100, 200], [10] * 3, False, False),
    ([39, 100, 200], [10] * 3, False, False),  # 1.9 deviations off
    ([41, 100, 200], [10] * 3, False, True),  # 2.1
    ([20, 100, 200], [31] * 3, False, True),
    ([20, 100, 200], [1, 1, 1], False, False),  # only the mean is taken off
    ([50, 100, 200], [1, 1, 1], False, True),
    (None, None, False, False)])
def test_a_normalisation_is_far_off_or_not(mean, std, swaps, is_far):
    images = [pixels_of('a', IMG)]
    found = list(normalisation_findings(Part('train', Place('p')), images, mean, std, swaps, 'x'))
    assert bool(found) == is_far
    if swaps is False and is_far:
        assert found[0].mending[0].line == 'mean=[20.0, 100.0, 200.0]'
