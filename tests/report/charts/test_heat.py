"""What a cell of the map of heat says can be read, at every strength of its colour."""

import numpy as np
import pytest
from contrast import contrasts
from markupsafe import Markup
from svg_parts import drawn, parts

from segplug.report.charts import STYLE, heat_map
from segplug.report.charts.heat import shares
from segplug.report.pages import render

# Per mille of a row; their square roots, times 12 and rounded up, are all of 1 to 12.
COUNTS = np.array([[900, 80, 20, 0], [750, 200, 50, 0], [600, 300, 94, 6], [500, 350, 150, 0]])


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_every_number_can_be_read(show, tmp_path, scheme):
    svg = heat_map(COUNTS, 'abcd', title='t')
    levels = np.ceil(12 * np.sqrt(shares(COUNTS)))
    assert set(levels[COUNTS > 0]) == set(range(1, 13))
    file = tmp_path / 'x.html'
    file.write_text(render('curves.html', title='t', style=Markup(STYLE), text='', charts=[
        dict(key='k', svg=Markup(svg))]), encoding='utf-8')
    found = [(ratio, html) for ratio, html in contrasts(show(file, color_scheme=scheme))
             if html.startswith('<text')]
    assert len(found) == 13 + 2 * 4 + 2, 'cells, names, words'
    assert [(ratio, html) for ratio, html in found if ratio < 4.5] == []


def test_shares_of_rows_columns_and_the_largest():
    """[[3, 1], [0, 0]]: a row without pixels has shares of 0."""
    counts = np.array([[3, 1], [0, 0]])
    assert shares(counts).tolist() == [[0.75, 0.25], [0, 0]]
    assert shares(counts, 'columns').tolist() == [[1, 1], [0, 0]]
    assert shares(counts, 'none').tolist() == [[1, 1 / 3], [0, 0]]
    assert shares(np.zeros((0, 0), int), 'none').shape == (0, 0)


def test_names_stand_beside_the_rows_and_below_the_columns():
    """'ab' is 2 * 0.6 * 11 = 13.2 wide, so the cells begin 22 further, at 35.2, and at 22 below the
    heading; each is 64, their middles 32 on. Letters stand 4 from there, half their height."""
    svg = heat_map(np.eye(2, dtype=int), ['ab', 'c'], title='t')
    assert [(t.text, float(t.get('x')), float(t.get('y')), t.get('transform'))
            for t in parts(svg, 'text')] == [
        ('predicted', 99.2, 14, None), ('truth', 10, 86, 'rotate(-90 10 86)'),
        ('ab', 31.2, 58, None), ('ab', 71.2, 154, 'rotate(-90 71.2 154)'),
        ('c', 31.2, 122, None), ('c', 135.2, 154, 'rotate(-90 135.2 154)'),
        ('100', 67.2, 58, None), ('100', 131.2, 122, None)]
    assert parts(svg, 'g')[0].get('transform') == 'translate(35.2 22) scale(64)'
    assert drawn(svg).get('viewBox') == '0 0 420 173.2'  # 22 + 2 * 64, 13.2 and 4 for names, 6
