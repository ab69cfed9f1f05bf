"""Settings that no registry builds: misspelt keys and values of a wrong type, with their lines."""

import re

import pytest

from segplug.apis.config import load_config
from segplug.apis.provenance import explained
from segplug.apis.setting_checks import check_settings
from segplug.errors import ConfigError

BASE = "_base_ = ['segplug::unet/unet_r18_minicity.py']\n"


def said(write, text):
    path = write('a.py', BASE + text)
    cfg = load_config(path)
    with pytest.raises(ConfigError) as caught, explained(cfg):
        check_settings(cfg)
    assert caught.value.where == f'{path}:2'
    return str(caught.value)


@pytest.mark.parametrize(('text', 'words'), [
    ('train_dataloader = dict(batch_size="2")', "train_dataloader.batch_size has .*'2', of type"),
    ('val_dataloader = dict(num_workers=[1])', 'val_dataloader.num_workers .*Expected: int'),
    ('train_dataloader = dict(sampler=7)', 'train_dataloader.sampler .*a dict with a type'),
    ('optim_wrapper = dict(clip_grad=dict(max_nrm=1))', "no argument 'max_nrm'.*'max_norm'"),
    ('optim_wrapper = dict(clip_grad=dict(max_norm="a"))', "'max_norm' .*Expected: float"),
    ('optim_wrapper = dict(clip_grad=dict(type="vlue", a=1))', "unknown type.*'value'"),
    ('optim_wrapper = dict(paramwise_cfg=dict(norm_decay_mul=0))', "'norm_decay_mult'"),
    ('optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mul=9))))',
     "has no key 'lr_mul'.*'lr_mult'"),
    ('default_hooks = dict(chekpoint=dict(interval=1))', "did you mean 'checkpoint'"),
    ('load_from = 3', 'load_from has a value of a wrong type.*Got: 3'),
    ('custom_hooks = dict(type="EMAHook")', 'custom_hooks .*[Ll]ist'),
    ('resume = "yes"', "resume .*Got: 'yes'"),
    ('train_dataloader = dict(dataset=dict(data_prefix=dict(seg_map_pth="x")))',
     "data_prefix has no key 'seg_map_pth'.*'seg_map_path'"),
    ('train_dataloader = dict(dataset=dict(data_prefix=dict(img_dir="x")))',
     "data_prefix has no key 'img_dir'.*'img_path'"),
    ('train_dataloader = dict(dataset=dict(pipeline=[dict(type="A"), "RandomFlp"]))',
     "A step of a pipeline is no dict. .*Got: 'RandomFlp'"),
    ('optim_wrapper = dict(paramwise_cfg=[1])', r'paramwise_cfg .*Got: \[1\].*Expected: a dict'),
    ('optim_wrapper = dict(paramwise_cfg=dict(norm_decay_mult="0"))',
     "norm_decay_mult .*'0'.*Expected: a number"),
    ('optim_wrapper = dict(paramwise_cfg=dict(custom_keys=["a"]))', 'custom_keys .*a dict'),
    ('optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(a=9.)))', 'Got: 9.0.*a dict'),
    ('optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(a=dict(lr_mult="9"))))',
     "lr_mult .*'9'.*Expected: a number"),
    ('custom_hooks = ["EMAHook"]', r'Expected: Optional\[List\[Union\[Hook, Dict\]\]\]'),
])
def test_a_slip_is_said_with_its_line(write, text, words):
    text = said(write, text)
    assert re.search(words, text), text


@pytest.mark.parametrize('text', [
    '', 'resume = "auto"', 'default_hooks = dict(mine=dict(type="EMAHook"))',
    'optim_wrapper = dict(clip_grad=None)', 'optim_wrapper = dict(clip_grad=dict(max_norm=1))',
    'optim_wrapper = dict(clip_grad=dict(type="value", clip_value=1.))',
    'optim_wrapper = dict(constructor="Mine", paramwise_cfg=dict(num_layers=3))',
    'optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(lr_mul=dict(lr_mult=1, foo=2))))',
])
def test_what_is_right_or_not_ours_is_left_alone(write, text):
    check_settings(load_config(write('a.py', BASE + text)))


@pytest.mark.parametrize(('text', 'words'), [
    ('auto_scale_lr = dict(base_batch_siz=8)', "auto_scale_lr has no key .*'base_batch_size'"),
    ('auto_scale_lr = dict(base_batch_size="8")', "base_batch_size .*Got: '8'.*Expected: int"),
    ('randomness = dict(sed=1)', "'seed'"),
    ('env_cfg = dict(mp_cfg=dict(opencv_num_threads="0"))', 'opencv_num_threads .*Expected: int'),
])
def test_nested_settings_are_checked_when_the_config_is_read(write, text, words):
    path = write('a.py', BASE + text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(path)
    assert caught.value.where == f'{path}:2'
