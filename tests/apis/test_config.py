"""From a typed name to a resolved config, and what is said when something is wrong."""

import textwrap
from pathlib import Path

import pytest
from mmengine.config import Config

from segplug.apis import config as c
from segplug.errors import ConfigError, DataError


@pytest.fixture
def write(tmp_path):
    def _write(name, text):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path
    return _write


def test_a_shipped_config_is_found_with_and_without_its_folder():
    found = c.find_config('unet/unet_r18_minicity.py')
    assert found.is_file()
    assert found.samefile(c.find_config('configs/unet/unet_r18_minicity.py'))


def test_an_unknown_config_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match='unet/unet_r18_minicity.py'):
        c.find_config('unet/unet_r18_minicty.py')


def test_options_are_read_as_mmengine_reads_them():
    assert c.parse_options(['a.b=1', 'c=[1,2]', 'd=(3,4)', 'e=x=y', 'f=true', 'g=1e-3']) == {
        'a.b': 1, 'c': [1, 2], 'd': (3, 4), 'e': 'x=y', 'f': True, 'g': 1e-3}
    with pytest.raises(ConfigError, match='key=value'):
        c.parse_options(['a.b'])


def test_options_reach_any_key_and_list_items_by_number(write):
    path = write('a.py', 'model = dict(x=dict(y=1))\nitems = [dict(p=1), dict(p=2)]\n')
    cfg = c.load_config(path, options={'model.x.y': 5, 'items.1.p': 7})
    assert cfg.model.x.y == 5
    assert cfg['items'][1].p == 7
    with pytest.raises(ConfigError, match='items.5.p=1'):
        c.load_config(path, options={'items.5.p': 1})


def test_the_work_directory_defaults_to_the_name_of_the_config(write):
    assert c.load_config(write('abc.py', 'model = dict()')).work_dir == 'work_dirs/abc'
    assert c.load_config(write('abd.py', 'work_dir = None')).work_dir == 'work_dirs/abd'
    assert c.load_config(write('abe.py', "work_dir = 'x/y'")).work_dir == 'x/y'


@pytest.mark.parametrize(('text', 'said'), [
    ("_base_ = ['missing.py']\n", 'missing.py'),
    ('model = dict(\n', 'cannot be read'),
    ('model = undefined_name\n', 'undefined_name'),
])
def test_a_config_that_cannot_be_read_is_one_sentence(write, text, said):
    with pytest.raises(ConfigError, match=said):
        c.load_config(write('bad.py', text))


def test_a_misspelt_top_level_key_is_found_with_file_and_line(write):
    path = write('a.py', 'model = dict()\ntrain_dataloder = dict()\n')
    with pytest.raises(ConfigError, match="did you mean 'train_dataloader'") as caught:
        c.load_config(path)
    assert f'{path}:2' in str(caught.value)


@pytest.mark.parametrize(('slip', 'meant'), [
    ('optim_wraper', 'optim_wrapper'), ('param_schedular', 'param_scheduler'),
    ('modle', 'model'), ('randomnes', 'randomness'), ('train_cfgs', 'train_cfg')])
def test_a_slip_is_found_beside_the_right_key_of_a_base(write, slip, meant):
    """A misspelt override would otherwise leave the base's value in force, unsaid."""
    path = write('a.py', f"_base_ = ['segplug::unet/unet_r18_minicity.py']\n{slip} = dict(a=1)\n")
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        c.load_config(path)


def test_the_authors_own_variables_are_left_alone(write):
    c.load_config(write('a.py', 'crop_size = (1, 2)\nnorm_cfg = dict()\nnum_classes = 3\n'))
    c.load_config(write('b.py', "models = [dict(type='A')]\nmodel = models[0]\n"))


def test_a_published_default_scope_becomes_ours(write):
    assert c.load_config(write('a.py', "default_scope = 'mmseg'\n")).default_scope == 'segplug'


@pytest.mark.parametrize('name', ['c.json', 'c.yaml'])
def test_an_error_in_a_config_that_is_not_python_is_told_without_a_line(write, name):
    path = write(name, '{"train_dataloder": {"batch_size": 1}}')
    with pytest.raises(ConfigError, match="did you mean 'train_dataloader'"):
        c.load_config(path)


@pytest.mark.parametrize('text', [
    "'json'", "['json']", "dict(imports='json')", "dict(imports=['json', 'csv'])",
    "dict(imports='no_such_xyz', allow_failed_imports=True)", 'dict(imports=None)', 'None'])
def test_custom_imports_take_mmengines_forms(write, text):
    c.load_config(write('a.py', f'custom_imports = {text}\n'))


@pytest.mark.parametrize('text', ['dict(import_=["json"])', 'dict(imports=3)', '3'])
def test_custom_imports_of_an_unknown_form_are_one_sentence(write, text):
    path = write('a.py', f'custom_imports = {text}\n')
    with pytest.raises(ConfigError, match=rf'custom_imports has .* set in {path}:1'):
        c.load_config(path)


def test_a_data_set_without_a_type_is_named(write):
    cfg = c.load_config(write('a.py', 'train_dataloader = dict(dataset=dict(x=1))\n'))
    with pytest.raises(ConfigError, match='data set of train_dataloader has no type'):
        c.check_classes(cfg)


def test_data_root_reaches_wrapped_data_sets(write, tmp_path):
    path = write('a.py', '''
        leaf = dict(type='A', data_root='x')
        train_dataloader = dict(dataset=dict(type='RepeatDataset', times=2, dataset=dict(
            type='ConcatDataset', datasets=[leaf, dict(type='B')])))
        val_dataloader = dict(dataset=leaf)
        test_dataloader = val_dataloader
        ''')
    cfg = c.load_config(path, data_root=str(tmp_path))
    assert [d['data_root'] for _, d in c.datasets(cfg)] == [str(tmp_path)] * 4
    with pytest.raises(ConfigError, match='--data-root .*nothing there'):
        c.load_config(path, data_root=str(tmp_path / 'none'))


def test_locate_finds_the_base_that_wrote_it_and_the_option(write):
    base = write('base.py', "model = dict(\n    backbone=dict(type='ResNett'))\n")
    leaf = write('leaf.py', "_base_ = ['base.py']\n")
    cfg = Config.fromfile(str(leaf))
    assert c.locate('ResNett', cfg) == f'{base}:2'
    assert c.locate('detph', cfg, {'model.backbone.detph': 3}) == \
        '--cfg-options model.backbone.detph=3'
    assert c.locate('nowhere', cfg) is None


def test_explained_adds_the_place_to_our_errors_only(write):
    cfg = Config.fromfile(str(write('a.py', 'x = dict(foo=1)\n')))
    with pytest.raises(DataError, match='a.py:1'), c.explained(cfg):
        raise DataError('Bad.', culprit='foo')
    with pytest.raises(KeyError), c.explained(cfg):
        raise KeyError('foo')


def test_a_shipped_config_can_be_a_base(write):
    path = write('mine.py', "_base_ = ['segplug::unet/unet_r18_minicity.py']\nlog_level = 'ERROR'")
    cfg = c.load_config(path)
    assert cfg.log_level == 'ERROR'
    assert cfg.model.type == 'EncoderDecoder'


def test_a_class_count_that_does_not_fit_names_head_and_data_set():
    cfg = c.load_config('unet/unet_r18_minicity.py', options={'model.decode_head.num_classes': 7})
    with pytest.raises(ConfigError, match='model.decode_head has num_classes=7.*19 classes'):
        c.check_classes(cfg)
    c.check_classes(c.load_config('unet/unet_r18_minicity.py'))


def test_project_local_modules_are_found_beside_the_config(write, tmp_path):
    write('local_plugin_abc.py', 'LOADED = True\n')
    path = write('a.py', "custom_imports = dict(imports=['local_plugin_abc'])\n")
    c.load_config(path)
    with pytest.raises(ConfigError, match="'local_plugin_xyz'") as caught:
        c.load_config(write('b.py', "custom_imports = dict(imports=['local_plugin_xyz'])\n"))
    assert str(Path('b.py')) in str(caught.value)
