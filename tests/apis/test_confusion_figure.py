"""The numbers in the cells of the figure: what is written, and in which colour."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from segplug.apis.confusion_figure import figure, over


@pytest.mark.parametrize(('colour', 'expected'), [
    ((1, 1, 1), 'black'), ((0, 0, 0, 1), 'white'),
    # Relative luminance of grey 0.46 is ((0.46 + 0.055) / 1.055) ** 2.4 = 0.179, of 0.465 0.183.
    ((0.45, 0.45, 0.45), 'white'), ((0.47, 0.47, 0.47), 'black'),
    ((1, 0, 0), 'black'), ((0, 0, 1), 'white')])  # 0.2126 and 0.0722
def test_black_or_white_as_stands_out_more(colour, expected):
    assert over(colour) == expected


@pytest.mark.parametrize(('normalize', 'expected'), [
    ('rows', {(0, 0): '97', (1, 0): '3', (0, 1): '25', (1, 1): '75'}),
    ('columns', {(0, 0): '100', (1, 0): '92', (1, 1): '8'}),
    ('none', {(0, 0): '1.2k', (1, 0): '36', (0, 1): '1', (1, 1): '3'})])
def test_numbers_of_the_cells(normalize, expected):
    """At (prediction, truth). Of 1236 pixels of a 1200 are right, 97.1 %, of 4 of b 3. Of what is
    taken for a 1200 of 1201 are, 99.9 %, of b 3 of 39, 7.7 %. Below 0.5 % nothing is written."""
    drawn = figure(np.array([[1200, 36], [1, 3]]), ['a', 'b'], normalize, 'Blues', '', Figure)
    assert {tuple(map(int, text.get_position())): text.get_text()
            for text in drawn.axes[0].texts} == expected
