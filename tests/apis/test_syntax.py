"""Where one file writes a key, without running it; lines are counted in each source by hand."""

import ast

import pytest

from segplug.apis.syntax import Syntax

SOURCE = """x = dict(a=1)
y = dict(b=x)
x = dict(a=2)
z: dict = dict(b=x)
x.update(dict(c=3), d=4)
x['e'] = dict(
    f=5)
x.e.merge(dict(g=6))
steps = [dict(type='A')]
steps += [dict(type='B')]
steps.append(dict(type='C'))
steps.extend([dict(type='D')])
steps.insert(1, dict(type='Z'))
short = steps[1:3]
keys = {
    f'stage.{i}.norm': dict(m=i) for i in range(3)}
keys.update({f'down.{i}': dict(m=7) for i in range(3)})
many = [dict(s=r) for r in (1, 2)]
if True:
    flag = dict(on=1)
else:
    flag = dict(
        on=2)
mixed = dict(a=1) | dict(b=2)
unknown = make(1)
first, *rest, last = [dict(a=0), dict(b=0),
                      dict(c=0), dict(d=0)]
again = [dict(step, more=1) if step else step for step in rest]
"""


@pytest.mark.parametrize(('path', 'line'), [
    (('y', 'b', 'a'), 1),  # x as it was then
    (('z', 'b', 'a'), 3),
    (('x', 'c'), 5), (('x', 'd'), 5), (('x', 'a'), 3),
    (('x', 'e', 'f'), 7), (('x', 'e', 'g'), 8), (('x', 'e'), 6),
    # A Z B C D
    (('steps', 0, 'type'), 9), (('steps', 1, 'type'), 13), (('steps', 2, 'type'), 10),
    (('steps', 3, 'type'), 11), (('steps', 4, 'type'), 12), (('steps', 5, 'type'), None),
    (('short', 0, 'type'), 13), (('short', 1, 'type'), 10), (('short', 2, 'type'), None),
    (('keys', 'stage.1.norm', 'm'), 16), (('keys', 'down.2', 'm'), 17), (('keys', 'no'), None),
    (('many', 1, 's'), 18), (('flag', 'on'), 23),
    (('mixed', 'a'), 24), (('mixed', 'b'), 24),
    (('unknown',), 25), (('unknown', 'x'), None), (('nothing',), None),
    (('first', 'a'), 26), (('rest', 0, 'b'), 26), (('rest', 1, 'c'), 27), (('last', 'd'), 27),
    (('last', 'a'), None), (('again', 1, 'c'), 27), (('again', 1, 'more'), 28)])
def test_statements_are_followed_backwards(path, line):
    found = Syntax(SOURCE).find(path)
    assert (found and found.line) == line


def test_the_syntax_of_the_value_is_told():
    found = Syntax(SOURCE).find(('x', 'e', 'g'))
    assert ast.literal_eval(found.value) == 6


def test_variables_that_stand_for_each_other_end():
    source = 'a = b\nb = a\n' + ''.join(f'x{i} = x{i + 1}\n' for i in range(9)) + 'y = dict(y)\n'
    assert Syntax(source).find(('b', 'k')) is None
    assert Syntax(source).find(('y', 'k')) is None


def test_a_variable_of_the_bases_is_a_path_into_them():
    source = ('with read_base():\n    from .m import *\n    from .n import lr as rate\n'
              'model.update(dict(a=1))\nother = model\nopt = dict(lr=rate)\n')
    syntax = Syntax(source)
    assert syntax.imports == [('.m', '*', '*'), ('.n', 'lr', 'rate')]
    assert syntax.find(('model', 'a')).line == 4
    assert syntax.find(('other', 'b')) is None  # not by a statement that this file has
    assert syntax.find(('opt', 'lr')).line == 6
    assert Syntax('a = _base_.b.c').find(('a', 'd')) == ('b', 'c', 'd')
