"""Places of bars by hand. 'ab' is 2 * 0.6 * 13 = 15.6 wide, so bars begin at 23.6; '10.00' is
5 * 0.6 * 11 = 33 wide, so they end at 420 - 8 - 33 = 379, 355.4 further right."""

import math

import pytest
from svg_parts import at, drawn, parts, paths, texts

from segplug.report.charts import Bar, bar_chart


def boxes(svg):
    """(x, y, width, height) of each bar."""
    return [tuple(float(r.get(key)) for key in ('x', 'y', 'width', 'height'))
            for r in parts(svg, 'rect') if r.find('{http://www.w3.org/2000/svg}title') is not None]


def test_rows_stand_below_each_other():
    """Each is 11 and a gap of 8 high, the first at 4; names end 8 before the bars."""
    svg = bar_chart([Bar('ab', (10.,)), Bar('c', (5.,), ((2.5, 7.5),))], title='t')
    assert boxes(svg) == [(23.6, 8, 355.4, 10), (23.6, 27, 177.7, 10)]
    assert [at(svg, name) for name in ('ab', 'c', '10.00', '5.00')] == [
        (15.6, 17.5), (15.6, 36.5), (420, 17), (420, 36)]
    assert paths(svg, 'whisker') == ['M112.45 29v6m0 -3H290.15m0 -3v6']
    assert (paths(svg, 'axis'), paths(svg, 'grid')[-1]) == (['M23.6 4V42'], 'M379 4V42')
    assert at(svg, '10') == (379, 56)
    assert drawn(svg).get('viewBox') == '0 0 420 62'


def test_two_values_stand_in_one_row_below_the_legend():
    """Half of 420 for each name of the legend, which is 22 high; rows are 2 * 11 + 8 high."""
    svg = bar_chart([Bar('ab', (10., 5.)), Bar('c', (math.nan, 2.5))], title='t',
                    names=('first', 'second'))
    assert boxes(svg) == [(23.6, 26, 355.4, 10), (23.6, 37, 177.7, 10), (23.6, 67, 88.85, 10)]
    assert [r.get('class') for r in parts(svg, 'rect')] == [
        f'area c{colour}' for colour in (1, 2, 1, 2, 2)]
    assert [r.get('x') for r in parts(svg, 'rect')][:2] == ['0', '210']
    assert (at(svg, 'first'), at(svg, 'second')) == ((18, 14), (228, 14))
    assert at(svg, '–') == (420, 65)
    assert 'ab, second: 5.00' in {r[0].text for r in parts(svg, 'rect') if len(r)}
    assert drawn(svg).get('viewBox') == '0 0 420 102'


def test_a_long_name_is_cut_and_told_whole():
    """At most 0.42 * 420 = 176.4 wide: 22 characters of 7.8, the last of them '…'."""
    svg = bar_chart([Bar('n' * 40, (10.,))], title='t')
    assert boxes(svg)[0][0] == pytest.approx(184.4)
    assert texts(svg)[-2] == 'n' * 21 + '…' + 'n' * 40  # and its title


def test_what_lies_beyond_the_limits_ends_at_them():
    """'250.00' is 39.6 wide: the end is 372.4."""
    svg = bar_chart([Bar('ab', (250.,), ((50., 300.),)), Bar('c', (-5.,))], title='t',
                    limits=(0, 100))
    (left, _, width, _), (start, _, none, _) = boxes(svg)
    assert (left, start, none) == (23.6, 23.6, 0)
    assert left + width == pytest.approx(372.4)
    assert 'H372.4m' in paths(svg, 'whisker')[0]


def test_the_axis_holds_zero_values_and_intervals():
    """From -1.5 to 3 in steps of 1: -2 to 3; one value of 0 is 0 to 1."""
    svg = bar_chart([Bar('a', (2.,), ((-1.5, 3.),))], title='t')
    assert [t for t in texts(svg) if len(t) <= 2 and t != 'a'] == ['-2', '-1', '0', '1', '2', '3']
    assert {'0', '1'} <= set(texts(bar_chart([Bar('a', (0.,))], title='t')))
