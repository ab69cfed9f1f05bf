import ast

import pytest

from segplug.apis.migration.hunks import hunks, old_lines
from segplug.apis.migration.source import Source, split_lines
from segplug.errors import ConfigError


@pytest.fixture
def source(tmp_path):
    """Text -> its `Source`; line ends, a byte order mark and the encoding stay."""
    def _source(text: str, encoding: str = 'utf-8') -> Source:
        path = tmp_path / 'config.py'
        path.write_bytes(text.encode(encoding))
        return Source(path)
    return _source


def test_positions_are_characters_not_bytes(source):
    """'é' is two bytes and one character: the 1 stands at place 9 of "b = 'é', 1"."""
    found = source("a = 2\nb = 'é', 1\n")
    node = found.statements()['b'].value.elts[1]
    assert node.col_offset == 10
    assert found.span(node) == (15, 16)
    assert found.line(15) == 2


def test_what_is_not_edited_stays_to_the_byte(source, tmp_path):
    text = '\ufeff# über\r\na = 1  # one\r\n\r\nb = 2\r\n'
    found = source(text)
    found.edit(*found.span(found.statements()['b'].value), '3\n', 'because')
    assert found.new_text == text.replace('b = 2', 'b = 3\r\n')
    assert found.old_text == text


def test_an_outer_edit_takes_the_inner_ones_in(source):
    found = source('a = dict(b=1, c=2)\n')
    inner = found.statements()['a'].value.keywords[1].value
    found.edit(*found.span(inner), '5', 'five')
    text, reasons = found.rendered(*found.span(found.statements()['a'].value))
    assert text == 'dict(b=1, c=5)'
    found.edit(*found.span(found.statements()['a']), f'x = {text}', 'renamed', inner=reasons)
    assert found.new_text == 'x = dict(b=1, c=5)\n'
    assert [reason.text for reason in found.reasons] == ['renamed', 'five']


def test_each_hunk_has_a_reason(source):
    found = source('a = 1\nb = [\n    2,\n    3]\nc = 4\n')
    found.edit(*found.span(found.statements()['b']), 'b = [5,\n    3,\n    6]', 'the list')
    found.edit(0, 0, 'z = 0\n', 'first')
    made = hunks(found)
    assert [(hunk.first, hunk.old, hunk.new) for hunk in made] == [
        (1, (), ('z = 0',)), (2, ('b = [', '    2,', '    3]'), ('b = [5,', '    3,', '    6]'))]
    assert [[reason.text for reason in hunk.reasons] for hunk in made] == [['first'],
                                                                          ['the list']]
    # The new file has a line more at its head: its line 6, c, was line 5.
    assert old_lines(found)[6] == 5


def test_lines_are_those_that_python_counts():
    assert split_lines('a\r\nb\x0b\u2028c\rd\n') == ['a', 'b\x0b\u2028c', 'd']
    assert len(ast.parse('a\r\nb\rd\n').body) == 3


@pytest.mark.parametrize(('text', 'encoding', 'what'), [
    ('a = (\n', 'utf-8', 'config.py:1 is no Python'),
    ("a = 'é'\n", 'latin-1', 'is no text in UTF-8')])
def test_what_is_no_config(source, text, encoding, what):
    with pytest.raises(ConfigError, match=what):
        source(text, encoding)
