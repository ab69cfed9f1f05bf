"""The line of a key of the resolved config, behind variables, lists and bases."""

import pytest
from mmengine.config import Config

from segplug.apis.places import base_path, path_of, shipped_configs, written_at

BASE = """
norm = dict(type='BN', eps=1)
steps = [dict(type='A'), dict(type='B', p=1)]
model = dict(
    type='M', norm=norm,
    head={'type': 'H',
          'width': 3})
plan = [*steps, dict(type='C', q=2)] + [dict(type='D', r=3)]
common = dict(lr=1)
opt = dict(common, type='O')
opt2 = dict(type='P', **common)
"""
LEAF = """
_base_ = ['base.py']
model = dict(head=dict(depth=7))
other = _base_.steps
third = {{_base_.model.head}}
"""


@pytest.fixture
def leaf(write):
    write('base.py', BASE)
    return write('leaf.py', LEAF)


@pytest.mark.parametrize(('path', 'place'), [
    (('model', 'type'), 'base.py:5'),
    (('model', 'norm'), 'base.py:5'),
    (('model', 'norm', 'eps'), 'base.py:2'),
    (('model', 'head', 'width'), 'base.py:7'),
    (('model', 'head', 'depth'), 'leaf.py:3'),
    (('plan', 1, 'p'), 'base.py:3'),
    (('plan', 2, 'q'), 'base.py:8'),
    (('plan', 3, 'r'), 'base.py:8'),
    (('opt', 'lr'), 'base.py:9'),
    (('opt2', 'lr'), 'base.py:9'),
    (('other', 1, 'p'), 'base.py:3'),
    (('third', 'width'), 'base.py:7'),
    (('model', 'nowhere'), None),
    (('nothing',), None),
    (('plan', 9, 'r'), None),
])
def test_a_path_is_followed_through_the_syntax(leaf, path, place):
    found = written_at(path, leaf)
    assert found == (place and f'{leaf.parent}/{place}')


def test_a_component_is_found_by_what_it_holds(leaf):
    config = Config.fromfile(leaf).to_dict()
    config['second'] = dict(type='H', width=4)
    assert path_of(dict(type='H', width=4), config, 'width') == ('second', 'width')
    # A parent added one key, and took out another.
    assert path_of(dict(type='H', width=3, added=1), config, 'width') == ('model', 'head', 'width')
    assert path_of(dict(type='H', width=4), config, 'H') == ('second', 'type')
    assert path_of(dict(type='H', width=4), config, 'unheard') is None
    assert path_of(dict(type='H', width=4), config, None) == ('second', 'type')
    assert path_of(dict(width=4), dict(a=dict(width=4)), None) == ('a',)
    assert path_of(dict(type='Z', width=4), config, 'width') is None


def test_a_shipped_base_is_found_from_anywhere():
    assert base_path('segplug::unet/x.py', 'any/file.py') == f'{shipped_configs()}/unet/x.py'
    assert base_path('../a.py', 'any/file.py') == 'any/../a.py'


def test_assignments_to_parts(tmp_path):
    (tmp_path / 'base.py').write_text('model = dict(depth=1, heads=[dict(a=1)])\n')
    child = tmp_path / 'child.py'
    child.write_text("_base_ = './base.py'\n_base_.model.depth = 2\n"
                     "_base_.model.heads[0]['a'] = 3\nmine = dict()\nmine['x'] = dict(\n    y=1)\n")
    places = [written_at(path, child) for path in (
        ('model', 'depth'), ('model', 'heads', 0, 'a'), ('mine', 'x', 'y'), ('model', 'heads'))]
    assert places == [f'{child}:2', f'{child}:3', f'{child}:6', f'{tmp_path}/base.py:1']


def test_parts_of_a_list_of_the_bases(write):
    base = write('base.py', BASE)
    child = write('child.py', """_base_ = ['base.py']
own = [*_base_.steps[:-1], dict(type='N',
                                n=1), _base_.steps[-1]]
*first, last = _base_.plan
joined = first + [dict(type='E')] + [last]
changed = [dict(step, s=2) for step in _base_.steps]
more = [*changed, dict(t=3)]
""")
    assert Config.fromfile(child).own == [dict(type='A'), dict(type='N', n=1),
                                          dict(type='B', p=1)]
    places = [written_at(path, child) for path in (
        ('own', 0, 'type'), ('own', 1, 'n'), ('own', 2, 'p'), ('joined', 2, 'q'),
        ('joined', 3, 'type'), ('joined', 4, 'r'), ('changed', 1, 'p'), ('changed', 1, 's'),
        ('more', 1, 's'), ('more', 2, 't'))]
    assert places == [f'{base}:3', f'{child}:3', f'{base}:3', f'{base}:8', f'{child}:5',
                      f'{base}:8', f'{base}:3', f'{child}:6', f'{child}:6', f'{child}:7']
