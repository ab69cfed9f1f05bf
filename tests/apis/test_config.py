"""From a typed name to a resolved config, and what is said when something is wrong."""

import gc
import warnings
from pathlib import Path

import pytest

from segplug.apis.config import find_config, load_config, parse_options
from segplug.apis.config_checks import datasets
from segplug.errors import ConfigError


def test_a_shipped_config_is_found_with_and_without_its_folder():
    found = find_config('unet/unet_r18_minicity.py')
    assert found.is_file()
    assert found.samefile(find_config('configs/unet/unet_r18_minicity.py'))


def test_an_unknown_config_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match='unet/unet_r18_minicity.py'):
        find_config('unet/unet_r18_minicty.py')


def test_options_are_read_as_mmengine_reads_them():
    assert parse_options(['a.b=1', 'c=[1,2]', 'd=(3,4)', 'e=x=y', 'f=true', 'g=1e-3']) == {
        'a.b': 1, 'c': [1, 2], 'd': (3, 4), 'e': 'x=y', 'f': True, 'g': 1e-3}
    with pytest.raises(ConfigError, match='key=value'):
        parse_options(['a.b'])


def test_options_reach_any_key_and_list_items_by_number(write):
    path = write('a.py', 'model = dict(x=dict(y=1))\nitems = [dict(p=1), dict(p=2)]\n')
    cfg = load_config(path, options={'model.x.y': 5, 'items.1.p': 7})
    assert cfg.model.x.y == 5
    assert cfg['items'][1].p == 7
    with pytest.raises(ConfigError, match='items.5.p=1'):
        load_config(path, options={'items.5.p': 1})


def test_the_work_directory_defaults_to_the_name_of_the_config(write):
    assert load_config(write('abc.py', 'model = dict()')).work_dir == 'work_dirs/abc'
    assert load_config(write('abd.py', 'work_dir = None')).work_dir == 'work_dirs/abd'
    assert load_config(write('abe.py', "work_dir = 'x/y'")).work_dir == 'x/y'


@pytest.mark.parametrize(('text', 'said'), [
    ("_base_ = ['missing.py']\n", 'missing.py'),
    ('model = dict(\n', 'cannot be read'),
    ('model = undefined_name\n', 'undefined_name'),
])
def test_a_config_that_cannot_be_read_is_one_sentence(write, text, said):
    with pytest.raises(ConfigError, match=said):
        load_config(write('bad.py', text))


def test_a_published_default_scope_becomes_ours(write):
    assert load_config(write('a.py', "default_scope = 'mmseg'\n")).default_scope == 'segplug'


@pytest.mark.parametrize('text', [
    "'json'", "['json']", "dict(imports='json')", "dict(imports=['json', 'csv'])",
    "dict(imports='no_such_xyz', allow_failed_imports=True)", 'dict(imports=None)', 'None'])
def test_custom_imports_take_mmengines_forms(write, text):
    load_config(write('a.py', f'custom_imports = {text}\n'))


@pytest.mark.parametrize('text', ['dict(import_=["json"])', 'dict(imports=3)', '3'])
def test_custom_imports_of_an_unknown_form_are_one_sentence(write, text):
    path = write('a.py', f'custom_imports = {text}\n')
    with pytest.raises(ConfigError, match=rf'custom_imports has .* set in {path}:1'):
        load_config(path)


def test_data_root_reaches_wrapped_data_sets(write, tmp_path):
    path = write('a.py', '''
        leaf = dict(type='A', data_root='x')
        train_dataloader = dict(dataset=dict(type='RepeatDataset', times=2, dataset=dict(
            type='ConcatDataset', datasets=[leaf, dict(type='B')])))
        val_dataloader = dict(dataset=leaf)
        test_dataloader = val_dataloader
        ''')
    cfg = load_config(path, data_root=str(tmp_path))
    assert [d['data_root'] for _, d in datasets(cfg)] == [str(tmp_path)] * 4
    with pytest.raises(ConfigError, match='--data-root .*nothing there'):
        load_config(path, data_root=str(tmp_path / 'none'))


def test_a_shipped_config_can_be_a_base(write):
    path = write('mine.py', "_base_ = ['segplug::unet/unet_r18_minicity.py']\nlog_level = 'ERROR'")
    cfg = load_config(path)
    assert cfg.log_level == 'ERROR'
    assert cfg.model.type == 'EncoderDecoder'


def test_project_local_modules_are_found_beside_the_config(write, tmp_path):
    write('local_plugin_abc.py', 'LOADED = True\n')
    path = write('a.py', "custom_imports = dict(imports=['local_plugin_abc'])\n")
    load_config(path)
    with pytest.raises(ConfigError, match="'local_plugin_xyz'") as caught:
        load_config(write('b.py', "custom_imports = dict(imports=['local_plugin_xyz'])\n"))
    assert str(Path('b.py')) in str(caught.value)


def test_a_dict_for_a_list_of_the_base_is_the_child_s_slip(write):
    write('base.py', 'plan = [dict(a=1)]\nsize = 7\n')
    child = write('child.py', "_base_ = './base.py'\nplan = dict(a=2)\n")
    with pytest.raises(ConfigError, match=r'write a list, as .*base\.py:1 does') as caught:
        load_config(child)
    assert caught.value.where == f'{child}:2'


@pytest.fixture
def _swept():
    """mmengine leaves a file open where a config raises; it goes here, unsaid."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        gc.collect()


@pytest.mark.usefixtures('_swept')
def test_a_part_of_a_base_that_is_not_there(write):
    write('base.py', 'model = dict(backbone=dict(depth=18))\n')
    child = write('child.py', "_base_ = './base.py'\nmine = _base_.model.backbon\n")
    with pytest.raises(ConfigError, match="did you mean 'backbone'") as caught:
        load_config(child)
    assert caught.value.where == f'{child}:2'


def test_what_is_no_python_is_named_by_its_file(write):
    base = write('base.py', 'a = 1\nmodel = dict(depth=18\n')
    for path in (base, write('child.py', "_base_ = './base.py'\n")):
        with pytest.raises(ConfigError, match='SyntaxError') as caught:
            load_config(path)
        assert Path(caught.value.where).name == 'base.py:2'
