import pytest

from segplug.apis.migration.literals import entries, remove, written
from segplug.apis.migration.source import Source


def test_both_ways_to_write_a_dict(source):
    found = source("a = dict(b=(1 + 2), **c)\nd = {'b': 3, **c, 4: 5}\n")
    call, literal = (found.statements()[name].value for name in 'ad')
    assert [(e.key, found.text[e.start:e.end]) for e in entries(found, call)] == [
        ('b', 'b=(1 + 2)'), (None, '**c')]
    assert [(e.key, found.text[e.start:e.end]) for e in entries(found, literal)] == [
        ('b', "'b': 3"), (None, '**c'), (None, '4: 5')]
    assert entries(found, call.keywords[0].value) is None


@pytest.mark.parametrize(('text', 'doomed', 'left'), [
    ('[a, b, c]', [0], '[b, c]'),
    ('[a, b, c]', [2], '[a, b]'),
    ('[a, b, c]', [1, 2], '[a]'),
    ('[a, b, c]', [0, 2], '[b]'),
    ('[a, b, c]', [0, 1, 2], '[]'),
    ('[\n    a,\n    b,  # of b\n    c,\n]', [1], '[\n    a,\n    c,\n]'),
    ('[\n    a,\n    b,\n    c\n]', [2], '[\n    a,\n    b\n]'),
    ('[\n    a,  # of a\n    b]', [1], '[\n    a,  # of a\n    ]'),
    ('[\n    # of b\n    a, b,\n]', [0], '[\n    # of b\n    b,\n]')])
def test_items_are_cut_with_their_commas_and_lines(source, text, doomed, left):
    found = source(f'a = b = c = 1\nx = {text}\n')
    items = [found.span(item) for item in found.statements()['x'].value.elts]
    remove(found, items, dict.fromkeys(doomed, 'it goes'))
    assert found.new_text == f'a = b = c = 1\nx = {left}\n'
    Source.__init__(found, found.path)  # still Python
    assert {reason.text for reason in found.reasons} <= {'it goes'}


def test_a_dict_is_one_line_where_it_fits():
    assert written([('a', '1'), ('b', '2')]) == 'dict(a=1, b=2)'
    # 4 + 10 + len('dict(a=1, b=2)') = 28 of 79; with 60 blanks before it there is no room.
    assert written([('a', '1'), ('b', '2')], 4, 10) == 'dict(a=1, b=2)'
    assert written([('a', '1'), ('b', '2')], 4, 62) == 'dict(\n        a=1,\n        b=2)'
