"""Misspelt keys, missing types and class counts, named before anything is built."""

import pytest

from segplug.apis.config import load_config
from segplug.apis.config_checks import (
    OLD_KEYS,
    TOP_LEVEL_KEYS,
    check_classes,
    count_classes,
    declared_metainfo,
    slip_of,
)
from segplug.errors import ConfigError


def test_a_misspelt_top_level_key_is_found_with_file_and_line(write):
    path = write('a.py', 'model = dict()\ntrain_dataloder = dict()\n')
    with pytest.raises(ConfigError, match="did you mean 'train_dataloader'") as caught:
        load_config(path)
    assert f'{path}:2' in str(caught.value)


@pytest.mark.parametrize(('slip', 'meant'), [
    ('optim_wraper', 'optim_wrapper'), ('param_schedular', 'param_scheduler'),
    ('modle', 'model'), ('randomnes', 'randomness'), ('train_cfgs', 'train_cfg')])
def test_a_slip_is_found_beside_the_right_key_of_a_base(write, slip, meant):
    """A misspelt override would otherwise leave the base's value in force, unsaid."""
    path = write('a.py', f"_base_ = ['segplug::unet/unet_r18_minicity.py']\n{slip} = dict(a=1)\n")
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        load_config(path)


@pytest.mark.parametrize(('slip', 'meant'), [
    ('val_loader', 'val_dataloader'), ('trainloader', 'train_dataloader'),
    ('test_metrics', 'test_evaluator'), ('lr_scheduler', 'param_scheduler'),
    ('optimiser', 'optim_wrapper'), ('hooks', 'custom_hooks')])
def test_other_words_for_a_key_are_told_the_right_one(write, slip, meant):
    with pytest.raises(ConfigError, match=f"'{slip}', which nothing reads.*mean '{meant}'"):
        load_config(write('a.py', f'{slip} = dict(batch_size=2)\n'))
    for used in (f'{meant} = {slip}', f'{meant} = dict(batch_size=2)'):  # read, and a dumped config
        load_config(write('b.py', f'{slip} = dict(batch_size=2)\n{used}\n'))


def test_the_authors_own_variables_are_left_alone(write):
    load_config(write('a.py', 'crop_size = (1, 2)\nnorm_cfg = dict()\nnum_classes = 3\n'))
    load_config(write('b.py', "models = [dict(type='A')]\nmodel = models[0]\n"))


@pytest.mark.parametrize('name', ['c.json', 'c.yaml'])
def test_an_error_in_a_config_that_is_not_python_is_told_without_a_line(write, name):
    path = write(name, '{"train_dataloder": {"batch_size": 1}}')
    with pytest.raises(ConfigError, match="did you mean 'train_dataloader'"):
        load_config(path)


def test_a_data_set_without_a_type_is_named(write):
    cfg = load_config(write('a.py', 'train_dataloader = dict(dataset=dict(x=1))\n'))
    with pytest.raises(ConfigError, match='data set of train_dataloader has no type'):
        check_classes(cfg)


def test_a_class_count_that_does_not_fit_names_head_and_data_set():
    cfg = load_config('unet/unet_r18_minicity.py', options={'model.decode_head.num_classes': 7})
    with pytest.raises(ConfigError, match='model.decode_head has num_classes=7.*19 classes'):
        check_classes(cfg)
    check_classes(load_config('unet/unet_r18_minicity.py'))


def test_the_ignored_value_is_no_class_of_300():
    cfg = load_config('unet/unet_r18_minicity.py', options={'model.decode_head.num_classes': 300})
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.metainfo = dict(classes=[f'c{i}' for i in range(300)])
    with pytest.raises(ConfigError, match='300 classes, of which 255 is one.*seg_pad_val=65535'):
        check_classes(cfg)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.ignore_index = 65535
    check_classes(cfg)


def test_a_head_that_makes_its_own_labels_has_its_own_number_of_classes():
    cfg = load_config('unet/unet_r18_minicity.py')
    cfg.model.auxiliary_head = [dict(type='STDCHead', num_classes=2)]
    check_classes(cfg)
    cfg.model.auxiliary_head = [dict(type='FCNHead', num_classes=2)]
    with pytest.raises(ConfigError, match='model.auxiliary_head has num_classes=2.*19 classes'):
        check_classes(cfg)


def test_classes_in_a_file_are_counted(tmp_path):
    (tmp_path / 'classes.csv').write_text('name,r,g,b\na,0,0,0\nb,1,1,1\n')
    cfg = load_config('unet/unet_r18_minicity.py')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].dataset = dict(type='BaseSegDataset', data_root=str(tmp_path),
                                 metainfo=dict(classes='classes.csv', palette=[[9, 9, 9]] * 2))
    with pytest.raises(ConfigError, match='num_classes=19, but BaseSegDataset of .* 2 classes'):
        check_classes(cfg)
    assert declared_metainfo(cfg.test_dataloader.dataset) == dict(
        classes=('a', 'b'), palette=[[9, 9, 9]] * 2)
    (tmp_path / 'classes.csv').unlink()
    check_classes(cfg)  # the data set says that the file is not there


OWN = """
_base_ = ['segplug::_base_/models/unet_r18.py', 'segplug::_base_/datasets/own_data.py']
model = dict(auxiliary_head=[dict(type='FCNHead', in_channels=64, channels=4),
                             dict(type='STDCHead', in_channels=64, channels=4, num_classes=2)])
"""


def test_heads_that_do_not_say_num_classes_follow_the_data_set(write, tmp_path):
    path = write('own.py', OWN)
    assert 'num_classes' not in load_config(path).model.decode_head  # no file of classes: unknown
    (tmp_path / 'classes.csv').write_text('name\nsoil\nleaf\nstem\n')
    cfg = load_config(path, data_root=str(tmp_path))
    own, edge = cfg.model.auxiliary_head
    assert (cfg.model.decode_head.num_classes, own.num_classes, edge.num_classes) == (3, 3, 2)
    given = load_config(path, data_root=str(tmp_path), options={'model.decode_head.num_classes': 5})
    assert given.model.decode_head.num_classes == 5  # what is said is checked, not replaced


def test_classes_are_counted_only_where_a_head_is_known():
    cfg = load_config('unet/unet_r18_minicity.py')
    cfg.model.decode_head = [dict(type='NoSuchHead'), dict(), dict(type='SiLogLoss')]
    count_classes(cfg)
    assert cfg.model.decode_head == [dict(type='NoSuchHead'), dict(), dict(type='SiLogLoss')]


@pytest.mark.parametrize(('key', 'meant'), [
    ('LOAD_FROM', 'load_from'), ('loadFrom', 'load_from'), ('from_load', 'load_from'),
    ('AutoScaleLR', 'auto_scale_lr'), ('cfg_val', 'val_cfg'), ('optimwraper', 'optim_wrapper'),
    ('hooks', None), ('mine', None), ('load_from', None)])
def test_capitals_underscores_and_the_order_of_words_are_slips(key, meant):
    assert slip_of(key, TOP_LEVEL_KEYS) == meant


def test_a_variable_that_mmengine_has_written_down_is_no_old_key(write):
    """A dumped config holds each variable of its bases beside what was made of it."""
    text = "optimizer = dict(type='SGD', lr=0.1)\noptim_wrapper = dict(optimizer=dict(lr=0.1))\n"
    config = load_config(write('a.py', text))
    assert config.optimizer.lr == 0.1
    for name in ('b.json', 'b.yaml'):
        path = write(name, '')
        config.dump(path)
        assert load_config(path).optimizer.lr == 0.1
    with pytest.raises(ConfigError, match="sets 'optimizer', which nothing reads"):
        load_config(write('c.json', '{"optimizer": {"lr": 1}}'))


@pytest.mark.parametrize('key', OLD_KEYS)
def test_what_mmsegmentation_read_before_is_no_silent_variable(write, key):
    path = write('a.py', f'work_dir = None\n{key} = dict(a=1)\n')
    with pytest.raises(ConfigError, match=f"'{key}', which nothing reads.*since") as caught:
        load_config(path)
    assert caught.value.where == f'{path}:2'
    read = load_config(write('b.py', f'{key} = dict(a=1)\nmine = dict(a={key})\n'))
    assert read.mine.a == dict(a=1)
    with pytest.raises(ConfigError, match='It is set in --cfg-options'):
        load_config(write('c.py', 'mine = 1'), options={f'{key}.a': 3})


@pytest.mark.parametrize(('text', 'words'), [
    ('compile = "yes"', "compile is neither.*'yes'"),
    ('default_scope = "mmsegg"', "no scope.*'mmsegg'.*did you mean 'mmseg'"),
    ('default_scope = ["a"]', 'no scope')])
def test_values_that_fail_far_away(write, text, words):
    path = write('a.py', f'work_dir = None\n{text}\n')
    with pytest.raises(ConfigError, match=words):
        load_config(path)
    load_config(write('b.py', 'compile = dict(backend="eager")\ndefault_scope = "mmcv"'))
