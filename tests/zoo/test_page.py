"""docs/reference/zoo.md says what the code says.

Each run compares all that takes seconds: the families, and of every shipped config all but its
multiply-adds, which take half a minute; of these a run sees a few, the slow run all.
"""

import pytest
from observe import read
from page import PAGE, costs, families, put, table_in

from segplug.apis.config import load_config
from segplug.apis.zoo import DEFAULT_SIZE, build_on_meta, matching, parameters, summary, zoo
from segplug.cli.zoo import cells, markdown


def rows_of(table: str) -> list[list[str]]:
    return [line.strip('| ').split(' | ') for line in table.splitlines()[2:]]


def test_the_families():
    table = table_in(PAGE.read_text(), 'families')
    assert table == families()
    *rows, total = rows_of(table)
    assert len(rows) == 35
    assert total == ['all', '568', '299', '161']
    # No structure and no wiring is in two families: the sums count each once.
    entries = read('models')
    assert [len({entry[key] for entry in entries}) for key in ('keys', 'numbers')] == [299, 161]


def test_every_shipped_config_has_its_row():
    """All but the last column, of models on the meta device."""
    expected = []
    for path in matching([]):
        cfg = load_config(path)
        row = summary(path, cfg, cfg.get('crop_size') or DEFAULT_SIZE)
        row.update(parameters(build_on_meta(cfg)), multiply_adds=0)
        expected.append(cells(row)[:-1])
    assert [row[:-1] for row in rows_of(table_in(PAGE.read_text(), 'costs'))] == expected


@pytest.mark.parametrize('word', ['pspnet_r50-d8_4xb2', 'bisenetv2_fcn_4xb4-160k', 'unet_r18',
                                  'pointrend_r50_4xb2', 'mobilenet-v3-d8-s_'])
def test_a_few_multiply_adds(word):
    rows = rows_of(table_in(PAGE.read_text(), 'costs'))
    expected = rows_of(markdown(zoo([word])))
    assert [row for row in rows if word in row[0]] == expected


@pytest.mark.slow
def test_all_multiply_adds():
    assert table_in(PAGE.read_text(), 'costs') == costs()


def test_a_table_is_put_between_its_markers():
    page = ('a\n<!-- x: how -->\nold\nolder\n<!-- end of x -->\nb\n'
            '<!-- y: how -->\n1\n<!-- end of y -->\n')
    assert put(page, 'x', 'new') == page.replace('old\nolder', 'new')
    assert table_in(page, 'y') == '1'
