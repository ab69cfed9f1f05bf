"""Configs as Python text that says what they say; and their values one by one."""

import numpy as np
import pytest

from segplug.compat.config_text import config_text, leaves, value_text


@pytest.mark.parametrize(('value', 'text'), [
    (None, 'None'), (True, 'True'), (1.5, '1.5'), (float('-inf'), "float('-inf')"),
    (float('nan'), "float('nan')"), ("it's", '"it\'s"'), ([1, 'a'], "[1, 'a']"), ((), '()'),
    ((1,), '(1, )'), ({}, 'dict()'), (dict(b=1, a=2), 'dict(a=2, b=1)'),
    ({'lambda': 1}, "{'lambda': 1}"), ({1: 2, 'a b': 3}, "{1: 2, 'a b': 3}"),
    ({'x"): import os #': 1}, "{'x\"): import os #': 1}"),
    (np.float32(0.5), '0.5'), (np.array([[1, 2]]), '[[1, 2]]'), (b'\0', "b'\\x00'"),
    (len, "'builtins.len'"), ({1}, "'{1}'")])
def test_a_value(value, text):
    assert value_text(value) == text


def test_a_config_runs_back_to_itself():
    cfg = dict(model=dict(type='M', sizes=((1, 2), [3.5, float('inf')])), a='\n"', b={'x.y': (1,)})
    found = {}
    exec(config_text(cfg), found)
    assert {key: value for key, value in found.items() if key != '__builtins__'} == cfg
    assert config_text(cfg).splitlines()[-1].startswith('model = ')  # in order of the keys


def test_leaves():
    def read_base():
        return None

    cfg = dict(a=dict(b=1, c={}), steps=[dict(type='x'), 2], sizes=(1, 2), none=[],
               read_base=read_base)
    assert list(leaves(cfg)) == [
        (('a', 'b'), 1), (('a', 'c'), {}), (('steps', 0, 'type'), 'x'), (('steps', 1), 2),
        (('sizes',), (1, 2)), (('none',), [])]
