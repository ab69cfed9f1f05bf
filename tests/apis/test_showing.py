"""A merged config with its origins: true values, true places."""

import ast
import os
import random
import shutil

import pytest
from mmengine.config import Config

from segplug.apis.config import load_config, read_config
from segplug.apis.places import find, shipped_configs
from segplug.apis.showing import same, show_config, shown, write_config
from segplug.compat.config_text import leaves
from segplug.errors import ConfigError

CONFIG = 'unet/unet_r18_minicity.py'
BASE = """size = (4, 8)
model = dict(type='M', head=dict(width=3))
steps = [dict(type='A', size=size), dict(type='B')]
loader = dict(steps=steps)
"""
LEAF = """_base_ = './base.py'
model = dict(head=dict(depth=7))
copied = {{_base_.size}}
"""


@pytest.fixture
def leaf(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'leaf.py').write_text(LEAF)
    return tmp_path / 'leaf.py'


def origins(found):
    return {entry.key: entry.origin for entry in found.entries}


def test_each_value_has_its_place(leaf):
    found = show_config(leaf, options={'model.head.extra': 1, 'loader.steps.1.p': 2})
    assert origins(found) == {
        'size': 'base.py:1', 'model.type': 'base.py:2', 'model.head.width': 'base.py:2',
        'model.head.depth': 'leaf.py:2', 'model.head.extra': '--cfg-options',
        'steps.0.type': 'base.py:3', 'steps.0.size': 'base.py:3 (size: line 1)',
        'steps.1.type': 'base.py:3', 'loader.steps.0.type': 'base.py:3',
        'loader.steps.0.size': 'base.py:3 (size: line 1)', 'loader.steps.1.type': 'base.py:3',
        'loader.steps.1.p': '--cfg-options', 'copied': 'leaf.py:3 (size: base.py:1)',
        'work_dir': 'segplug', 'default_scope': 'segplug'}


def test_lines_stand_below_each_other_and_keys_choose(leaf):
    text = str(show_config(leaf, keys=['model', 'size']))
    assert text.splitlines() == [
        f'# {leaf}; files below {leaf.parent}',
        'size = (4, 8)         # base.py:1',
        "model.type = 'M'      # base.py:2",
        'model.head.width = 3  # base.py:2',
        'model.head.depth = 7  # leaf.py:2']
    with pytest.raises(ConfigError, match="no key 'model.haed'.*model.head"):
        show_config(leaf, keys=['model.haed'])
    python = show_config(leaf, keys=['model.head']).text(origins=False)
    assert python == "model = dict(head=dict(depth=7, width=3), type='M')"


def test_a_key_with_dots_is_chosen(tmp_path):
    (tmp_path / 'c.py').write_text("keys = {'backbone.norm': dict(lr_mult=0.1), 'backbone': 2}\n")
    for key in ('keys.backbone.norm', 'keys.backbone.norm.lr_mult'):
        found = show_config(tmp_path / 'c.py', keys=[key])
        assert [entry.path for entry in found.entries] == [('keys', 'backbone.norm', 'lr_mult')]
        assert found.cfg.to_dict().keys() == {'keys'}


def test_what_is_written_beside_a_config_is_none(tmp_path):
    (tmp_path / 'c.json').write_text('{"a": 1}')
    for name in ('metrics.json', 'run.json', 'fps_20261123_120000.json'):
        (tmp_path / name).write_text('{"mIoU": 1}')
        os.utime(tmp_path / name, (2 ** 31, 2 ** 31))  # newer than the config
    assert show_config(tmp_path).cfg.to_dict()['a'] == 1


@pytest.mark.parametrize(('suffix', 'text', 'line'), [
    ('.json', '{"a": 1,\n "model": {"x": [1, 2],\n  "y": [{"type": "Z",\n "q": 5}]}}', 4),
    ('.yaml', 'a: 1\nmodel:\n  x: [1, 2]\n  y:\n  - type: Z\n    q: 5\n', 6)])
def test_data_configs_have_lines_too(tmp_path, suffix, text, line):
    path = tmp_path / f'c{suffix}'
    path.write_text(text)
    found = find(('model', 'y', 0, 'q'), path)
    assert (found.file, found.line) == (path, line)
    assert find(('model', 'y', 1, 'q'), path) is None
    assert find(('nothing',), path) is None


def test_configs_by_imports(tmp_path):
    (tmp_path / 'parts').mkdir()
    (tmp_path / 'parts' / 'm.py').write_text("model = dict(\n    head=dict(width=3))\nlr = 1\n")
    path = tmp_path / 'c.py'
    path.write_text('from mmengine.config import read_base\nwith read_base():\n'
                    '    from .parts.m import *\n    from .parts.m import lr as rate\n'
                    'model.update(dict(head=dict(depth=7)))\nopt = dict(lr=rate)\n')
    found = origins(show_config(path))
    assert found['model.head.width'] == 'parts/m.py:2'
    assert found['model.head.depth'] == 'c.py:5'
    assert found['opt.lr'] == 'c.py:6 (rate: parts/m.py:3)'
    assert 'read_base' not in found


def test_what_a_flag_sets_is_its(minicity):
    found = origins(show_config(CONFIG, data_root=str(minicity)))
    assert found['train_dataloader.dataset.data_root'] == '--data-root'


def test_the_config_that_a_run_left(trained, minicity):
    """In its work directory, and in its checkpoint, where tuples became lists."""
    of_run = show_config(trained.work_dir)
    alone = show_config(trained.checkpoint)
    assert origins(of_run)['model.type'].startswith('unet_r18_minicity.py:')
    assert origins(alone)['model.type'] == trained.checkpoint.name
    assert same(of_run.cfg.model.to_dict(), alone.cfg.model.to_dict())


def test_a_folder_without_a_config(tmp_path):
    with pytest.raises(ConfigError, match='neither a config nor a checkpoint'):
        show_config(tmp_path)


def test_values_are_those_of_load_config():
    for path in sorted(shipped_configs().glob('unet/*.py')):
        found, cfg = show_config(path), load_config(path).to_dict()
        assert [(e.path, e.value) for e in found.entries] == list(leaves(cfg))
        assert all(e.origin for e in found.entries)


def test_another_value_at_the_origin_is_another_value_in_the_config(tmp_path):
    """The literal at the origin, behind variables, is replaced; mmengine alone reads it anew."""
    root = shutil.copytree(shipped_configs(), tmp_path / 'configs')
    paths = sorted(p for p in root.rglob('*.py') if '_base_' not in p.parts)
    draw = random.Random(0)
    changed = 0
    for path in draw.sample(paths, 6):
        values = list(leaves(read_config(path).to_dict()))
        for keys, _ in draw.sample(values, 4):
            place = find(keys, path)
            while place.behind is not None:
                place = place.behind
            if not isinstance(place.value, ast.Constant | ast.List | ast.Tuple):
                continue  # computed from other values
            raw = place.file.read_bytes()
            place.file.write_bytes(replaced(raw, place.value))
            found = Config.fromfile(str(path)).to_dict()
            for key in keys:
                found = found[key]
            assert found == 'another', (path, keys)
            place.file.write_bytes(raw)
            changed += 1
    assert changed > 12


def replaced(source, node):
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[:node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[:node.end_lineno - 1])) + node.end_col_offset
    return source[:start] + b"'another'" + source[end:]


@pytest.mark.parametrize(('value', 'text'), [
    ((1,), '(1,)'), ([], '[]'), (dict(a=None, b='x'), "dict(a=None, b='x')"),
    ({'a.b': 1}, "dict(**{'a.b': 1})"), (float('inf'), "float('inf')"), ((1, [2]), '(1, [2])')])
def test_values_as_python(value, text):
    assert shown(value) == text
    assert eval(text) == value


def test_a_written_config_reads_back(tmp_path):
    cfg = show_config(CONFIG).cfg
    for name in ('a.py', 'b.json', 'c.yaml'):
        again = load_config(write_config(cfg, tmp_path / 'new' / name))
        assert same(again.to_dict(), cfg.to_dict())
    with pytest.raises(ConfigError, match=r'cannot be written as a\.txt'):
        write_config(cfg, tmp_path / 'a.txt')
