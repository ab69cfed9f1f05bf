"""Places of a histogram by hand. The axis '0' is 0.6 * 13 = 7.8 wide, so it begins at 15.8; it ends
at 420 - 14 = 406, is 390.2 long, and its foot is at 190."""

import pytest
from svg_parts import at, drawn, parts, paths, texts

from segplug.report.charts import histogram

VALUES = [0.5, 2, 2.9, 4]


def test_columns_stand_on_their_bins():
    """390.2 / 4 = 97.55 wide, less a gap of 1; of counts 1, 0, 2 and 1 the highest ends at 12."""
    svg = histogram(VALUES, title='t', limits=(0, 4), num_bins=4)
    assert [[float(r.get(k)) for k in ('x', 'width', 'y', 'height')] for r in parts(svg, 'rect')] \
        == [pytest.approx(p) for p in ([16.3, 96.55, 101, 89], [211.4, 96.55, 12, 178],
                                       [308.95, 96.55, 101, 89])]
    assert paths(svg, 'grid') == ['M15.8 101H406', 'M15.8 12H406']
    assert paths(svg, 'axis')[:2] == ['M15.8 190H406', 'M15.8 190v4']
    assert [at(svg, name) for name in ('1', '4')] == [(9.8, 105), (406, 208)]
    assert drawn(svg).get('viewBox') == '0 0 420 216'


def test_labels_are_drawn_where_they_are_given():
    svg = histogram(VALUES, title='t', limits=(0, 4), num_bins=4, x_label='iou', y_label='images')
    assert (at(svg, 'iou'), at(svg, 'images')) == ((210.9, 226), (0, 12))
    assert drawn(svg).get('viewBox') == '0 0 420 234'
    assert min(float(r.get('y')) for r in parts(svg, 'rect')) == 26  # below the label
    assert len(texts(svg)) == 3 + 5 + 2  # 0 to 2; 0 to 4; the labels


def test_marks_stand_at_their_values():
    """2 is in the middle, at 210.9. 'mark 0' is 6 * 0.6 * 11 = 39.6 wide: half of it is more than
    the 15.8 that are left of 0, and than the 14 right of 4."""
    svg = histogram(VALUES, title='t', limits=(0, 4), num_bins=4,
                    marks=[('m', 2), ('mark', 0), ('mark', 4), ('gone', 5)])
    assert paths(svg, 'line c2') == ['M210.9 22V190', 'M15.8 22V190', 'M406 22V190']
    assert [at(svg, name) for name in ('m 2', 'mark 0', 'mark 4')] == [
        (210.9, 18), (19.8, 18), (400.2, 18)]
    assert not any('gone' in text for text in texts(svg))


def test_both_limits_are_inside():
    svg = histogram([-1, 0, 4, 5], title='t', limits=(0, 4), num_bins=2)
    assert [r[0].text for r in parts(svg, 'rect')] == ['0 to 2: 1', '2 to 4: 1']


def test_steps_are_round_without_limits():
    """From 0.1 to 9.9 in about 20: steps of 0.5, from 0 to 10."""
    svg = histogram([0.1, 5.2, 9.9], title='t')
    assert [r[0].text for r in parts(svg, 'rect')] == ['0 to 0.5: 1', '5 to 5.5: 1', '9.5 to 10: 1']
