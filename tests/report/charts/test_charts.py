"""The charts: places by hand, gaps, budgets, and text that cannot break out."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from svg_parts import drawn, lines, parts, texts

from segplug.report.charts import (
    COLOURS,
    STYLE,
    Bar,
    Series,
    bar_chart,
    heat_map,
    histogram,
    line_chart,
    standalone,
)

EVIL = '"><script>alert(1)</script>&\x00\ud800\u0301名'


CHARTS = {
    'lines': lambda n: line_chart([Series(n, [1, 2], [1, 2])], title=n, x_label=n, y_label=n),
    'bars': lambda n: bar_chart([Bar(n, (1, 2))], title=n, names=(n, n)),
    'histogram': lambda n: histogram([1, 2], title=n, x_label=n, y_label=n, marks=[(n, 1)]),
    'heat': lambda n: heat_map(np.eye(2, dtype=int), [n, n], title=n)}


@pytest.mark.parametrize('kind', CHARTS)
def test_any_text_is_shown_as_text(kind):
    svg = CHARTS[kind](EVIL)
    assert parts(svg, 'script') == []
    assert '<script' not in svg
    root = drawn(svg)
    assert root.get('role') == 'img'
    assert root[0].text.startswith('"><script>alert(1)</script>&\ufffd\ufffd')
    svg.encode()


def test_empty_charts_say_so():
    nan = math.nan
    for svg in (line_chart([], title='t'), line_chart([Series('a', [1], [nan])], title='t'),
                line_chart([Series('a', [1, 2], [0, -1])], title='t', log=True),
                bar_chart([], title='t'), histogram([nan], title='t')):
        assert texts(svg) == ['no values']
        assert parts(svg, 'desc')[0].text == 'No values.'
    drawn(heat_map(np.zeros((0, 0), int), [], title='t'))
    assert parts(heat_map(np.zeros((2, 2), int), 'ab', title='t'), 'desc')[0].text == 'No pixels.'


def test_places_of_a_line_by_hand():
    """The axis goes from 0 at 220 to 10 at 16; '10' is 2 * 0.6 * 13 = 15.6 wide, and 8 more is the
    left end, 23.6; the right end is 420 - 14 = 406."""
    svg = line_chart([Series('a', [0, 5, 10], [0, 2.5, 10])], title='t')
    assert lines(svg) == ['M23.6 220L214.8 169L406 16']


def test_a_gap_ends_the_line():
    svg = line_chart([Series('a', [0, 1, 2, 3, 4], [0, 10, math.nan, 10, math.inf])], title='t')
    assert [d.count('M') for d in lines(svg)] == [2]
    assert len(parts(svg, 'circle')) == 3
    assert parts(svg, 'desc')[0].text == 'a: from 0 at 0 to 10 at 3, lowest 0, highest 10.'


def test_log_places():
    """1 to 100 over 204 units: 10 lies in the middle, at 118."""
    svg = line_chart([Series('', [0, 1, 2], [1, 10, 100])], title='t', log=True)
    assert [d.split('L')[1].split()[1] for d in lines(svg)] == ['118']


def test_many_points_keep_their_extremes():
    y = np.zeros(100_000)
    y[77_777], y[33_333], y[50_000:60_000] = 10, -10, math.nan
    svg = line_chart([Series('a', range(100_000), y)], title='t')
    d = lines(svg)[0]
    assert len(svg) < 40_000
    assert ' 16L' in d, 'the highest is at the top'
    assert ' 220L' in d
    assert d.count('M') == 2


def test_the_ninth_line_is_dashed():
    svg = line_chart([Series(f's{i}', [0, 1], [i, i]) for i in range(9)], title='t')
    dashed = [p.get('class') for p in parts(svg, 'path') if p.get('stroke-dasharray')]
    assert dashed == ['line c1'] * 2, 'the line and its place in the legend'


def test_bars_by_hand():
    """Name 'ab': 2 * 0.6 * 13 + 8 = 23.6; values '10.00': 5 * 0.6 * 11 = 33, so the right end is
    420 - 8 - 33 = 379. 10 of 10 is 355.4 wide, 5 half of it."""
    svg = bar_chart([Bar('ab', (10.,)), Bar('c', (5.,), ((2.5, 7.5),)), Bar('d', (math.nan,))],
                    title='t')
    rects = parts(svg, 'rect')
    assert [(r.get('x'), r.get('width')) for r in rects] == [('23.6', '355.4'), ('23.6', '177.7')]
    whisker = next(p for p in parts(svg, 'path') if p.get('class') == 'whisker')
    # 23.6 + 355.4 / 4 = 112.45; 23.6 + 355.4 * 3 / 4 = 290.15
    assert whisker.get('d').startswith('M112.45 ')
    assert 'H290.15' in whisker.get('d')
    assert '–' in texts(svg)
    assert parts(svg, 'desc')[0].text == '3 rows: ab 10.00; c 5.00; d –.'


def test_differences_stand_around_zero():
    svg = bar_chart([Bar('a', (2.,)), Bar('b', (-2.,))], title='t', signed=True, digits=1)
    plus, minus = parts(svg, 'rect')
    assert (plus.get('class'), minus.get('class')) == ('area c1', 'area c2')
    end = float(minus.get('x')) + float(minus.get('width'))
    assert end == pytest.approx(float(plus.get('x')), abs=0.02)
    assert {'+2.0', '-2.0'} <= set(texts(svg))


def test_histogram_by_hand():
    """Limits 0 to 4 in 4 bins: counts 1, 0, 2, 1 (the last bin holds its upper end); 9 is out."""
    svg = histogram([0.5, 2, 2.9, 4, 9, math.nan], title='t', limits=(0, 4), num_bins=4)
    assert [r[0].text for r in parts(svg, 'rect')] == ['0 to 1: 1', '2 to 3: 2', '3 to 4: 1']
    heights = [float(r.get('height')) for r in parts(svg, 'rect')]
    assert heights[1] == 2 * heights[0] == 178  # the axis, 0 to 2, is 190 - 12 high
    assert parts(svg, 'desc')[0].text == '4 values from 0.5 to 4, half of them below 2.45.'


def test_one_value_has_a_histogram():
    assert len(parts(histogram([5., 5.], title='t'), 'rect')) == 1


def test_heat_cells_hold_exact_counts():
    """Row 0: 3 of 4 right. Far above 2**53, where a float would lose units."""
    big = 2**60 + 1
    svg = heat_map(np.array([[3, 1], [0, big]]), ['sky', 'road'], title='t')
    cells = {(c.get('data-t'), c.get('data-p')): c for c in parts(svg, 'rect') if c.get('data-t')}
    assert set(cells) == {('0', '0'), ('0', '1'), ('1', '1')}
    assert cells['1', '1'].get('data-n') == str(big)
    assert cells['0', '1'][0].text == 'sky as road: 1 pixel, 25.00 %'
    assert cells['0', '1'].get('fill-opacity') == '0.5'  # sqrt(0.25)
    assert 'sky taken for road, 25 %' in parts(svg, 'desc')[0].text
    written = {t.text: t.get('class').split()[-1] for t in parts(svg, 'text')}
    assert (written['100'], written['25']) == ('on-full', 'on-pale')  # levels 12 and 6


def test_equal_neighbours_are_one_stroke():
    svg = heat_map(np.full((4, 4), 7), 'abcd', title='t', max_cells=0)
    path = next(p for p in parts(svg, 'path') if p.get('fill-opacity'))
    assert path.get('fill-opacity') == '0.5'
    assert path.get('d') == ''.join(f'M0 {y}h4v1h-4z' for y in range(4))


@pytest.mark.parametrize('num', [1, 2, 19, 150, 300])
def test_any_number_of_classes_fits_the_budget(num):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 1000, (num, num)) + np.eye(num, dtype=np.int64) * 100_000
    svg = heat_map(counts, [f'class number {i}' for i in range(num)], title='t')
    assert len(svg) < 900_000
    names = [t for t in parts(svg, 'text') if 'end' in t.get('class')]
    assert 2 * min(num, 15) <= len(names) <= 2 * 30, 'thinned, not gone'
    assert max(float(t.get('y')) for t in names) < float(drawn(svg).get('viewBox').split()[3])


def test_the_style_names_every_colour_twice():
    assert all(COLOURS.count(f'--chart-{i}:#') == 2 for i in range(1, 9))
    assert all(f'var(--chart-{i})' in STYLE for i in range(1, 9))


def test_charts_of_a_file_stand_below_each_other():
    one, two = (heat_map(np.eye(n, dtype=int), ['a'] * n, title='t') for n in (1, 2))
    file = ET.fromstring(standalone(one, two))
    first, second = file.findall('{http://www.w3.org/2000/svg}svg')
    height = float(first.get('viewBox').split()[3])
    assert float(second.get('y')) == pytest.approx(height + 16)
    assert file.get('viewBox').split()[:3] == ['-8', '-8', '436']
