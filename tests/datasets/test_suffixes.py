"""Ends of names: one or several, the longest that fits, and which ends pair images with labels."""

import pytest

from segplug.datasets import suffixes
from segplug.errors import ConfigError


def test_the_longest_end_is_taken_off():
    assert suffixes.stem_of('x/1_rgb.png', ['.png', '_rgb.png']) == 'x/1'
    assert suffixes.stem_of('x/1_rgb.png', '.png') == 'x/1_rgb'
    assert suffixes.stem_of('1.JPG', ('.jpg', '.png')) is None
    assert suffixes.stem_of('1.jpg', '') == '1.jpg'  # every file


def test_an_empty_list_is_refused():
    with pytest.raises(ConfigError, match='list of suffixes is empty'):
        suffixes.as_tuple([])


def test_patterns_are_those_of_a_shell():
    assert suffixes.pattern('.jpg') == suffixes.pattern(['.jpg']) == '*.jpg'
    assert suffixes.pattern(('.jpg', '_x.png')) == '*{.jpg,_x.png}'


@pytest.mark.parametrize(('images', 'labels', 'given', 'better'), [
    # 2 of 2 instead of none
    (['a.tif', 'b.tif'], ['a.tif', 'b.tif'], ('.jpg', '.png'), ('.tif', '.tif', 2)),
    # '.jpg' pairs none: the stem of 'a_rgb.jpg' is 'a_rgb', that of 'a_mask.png' is 'a'
    (['a_rgb.jpg', 'd/b_rgb.jpg'], ['a_mask.png', 'd/b_mask.png'], ('.jpg', '.png'),
     ('_rgb.jpg', '_mask.png', 2)),
    # both pair two; the extension alone is shorter
    (['a_l.png', 'b_l.png'], ['a_l.png', 'b_l.png'], ('.jpg', '.png'), ('.png', '.png', 2)),
    (['a.jpg', 'b.jpg'], ['a.png'], ('.jpg', '.png'), None),  # ours pair as many
    (['a.jpg'], ['b.png'], ('.jpg', '.png'), None),
    ([], [], ('.jpg', '.png'), None),
    # all three pair with a label, .jpg alone two
    (['a.jpg', 'b.PNG', 'c.jpg'], ['a.png', 'b.png', 'c.png'], ('.jpg', '.png'),
     (('.jpg', '.PNG'), '.png', 3)),
    (['a.jpg', 'b.PNG'], ['a.png', 'b.png'], (['.jpg', '.PNG'], '.png'), None),
    # labels beside the images are no images: '.png' pairs with itself, and adds none
    (['a.jpg', 'a.png'], ['a.jpg', 'a.png'], ('.jpg', '.png'), None),
    (['README'], ['a.png'], ('.jpg', '.png'), None),
])
def test_suffixes_that_would_pair_more(images, labels, given, better):
    assert suffixes.better(images, labels, given) == better
