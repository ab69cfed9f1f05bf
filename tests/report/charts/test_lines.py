"""What stands around the lines of a chart, by hand: ticks, labels and the legend. '10' is
2 * 0.6 * 13 = 15.6 wide, so the axis begins at 23.6; it ends at 420 - 14 = 406."""

import math

from svg_parts import at, drawn, lines, parts

from segplug.report.charts import Series, line_chart

TEN = Series('a', [0, 20], [0, 10])


def legend(svg):
    return [p.get('d') for p in parts(svg, 'path') if p.get('d').endswith('h20')]


def test_labels_and_legend():
    """The label of y takes 12 of the 220 - 16; that of x, 18 below the ticks."""
    svg = line_chart([TEN], title='t', x_label='iteration', y_label='loss')
    assert lines(svg) == ['M23.6 220L406 28']
    assert (at(svg, 'loss'), at(svg, 'iteration')) == ((0, 12), (214.8, 256))
    assert (at(svg, '8'), at(svg, '15')) == ((17.6, 70.4), (310.4, 238))  # 220 - 0.8 * 192 + 4
    assert (legend(svg), at(svg, 'a')) == (['M0 272h20'], (26, 276))
    assert drawn(svg).get('viewBox') == '0 0 420 286'


def test_without_labels_the_legend_stands_higher():
    svg = line_chart([TEN], title='t')
    assert (lines(svg), legend(svg)) == (['M23.6 220L406 16'], ['M0 254h20'])
    assert len(parts(svg, 'text')) == 6 + 5 + 1  # 0, 2 ... 10; 0, 5 ... 20; the name


def test_the_legend_goes_on_in_the_next_row():
    """A name of 20 is 156 wide and takes 26 + 156 + 14 = 196: two in 420, the third below."""
    svg = line_chart([Series(c * 20, [0, 10], [0, 10]) for c in 'abc'], title='t')
    assert legend(svg) == ['M0 254h20', 'M196 254h20', 'M0 274h20']


def test_few_points_have_dots_that_tell_their_values():
    svg = line_chart([Series('a', range(40), range(40)), Series('b', range(41), range(41)),
                      Series('', [0, math.nan], [5, 5], faint=True)], title='t')
    dots = parts(svg, 'circle')
    assert len(dots) == 40
    assert dots[7][0].text == 'a 7 at 7'
    assert [p.get('class') for p in parts(svg, 'path') if 'line' in p.get('class')] == [
        'line c1', 'line c2', 'line c3 faint', 'line c1', 'line c2']
