"""Names, arguments and plugins: what a registry says when they are wrong."""

import importlib.metadata
import sys
import types

import pytest
from mmengine import registry as upstream
from mmengine.registry import DefaultScope

from segplug import registry
from segplug.errors import ConfigError
from segplug.registry import MODELS, Registry, check_arguments, resolve

UPSTREAM_NAMES = [n for n in vars(upstream) if n.isupper() and
                  isinstance(getattr(upstream, n), upstream.Registry)]


class Thing:
    def __init__(self, width, depth=3):
        self.width, self.depth = width, depth


class Open:
    def __init__(self, **kwargs):
        self.kwargs = kwargs


@pytest.fixture
def things():
    root = upstream.Registry('thing', scope='mmengine')
    child = Registry('thing', parent=root, scope='segplug_things')
    child.register_module(module=Thing)
    child.register_module(module=Open)
    return child


@pytest.mark.parametrize('name', UPSTREAM_NAMES)
def test_every_upstream_registry_has_our_child(name):
    child = getattr(registry, name)
    assert child.scope == 'segplug'
    assert child.parent is getattr(upstream, name)


def test_an_unknown_type_is_answered_with_the_nearest_names(things):
    with pytest.raises(ConfigError, match="'Thin' is not a known thing.*did you mean 'Thing'"):
        resolve('Thin', things)


def test_an_unknown_argument_is_answered_with_the_right_one(things):
    with pytest.raises(ConfigError, match="Thing has no argument 'detph'.*'depth'") as caught:
        check_arguments(dict(type='Thing', width=1, detph=2), things)
    assert caught.value.culprit == 'detph'


def test_a_missing_argument_is_named(things):
    with pytest.raises(ConfigError, match="needs the argument 'width'"):
        check_arguments(dict(type='Thing', depth=2), things)


def test_default_arguments_count_as_given(things):
    check_arguments(dict(type='Thing'), things, default_args=dict(width=1))


def test_an_open_constructor_is_left_alone(things):
    check_arguments(dict(type='Open', anything=1), things)


def test_building_through_mmengine_is_checked_too():
    """The runner builds through the roots; they must say the same."""
    name = 'test_registry'
    DefaultScope.get_instance(name, scope_name='segplug')
    try:
        with pytest.raises(ConfigError, match='ResNet'):
            upstream.MODELS.build(dict(type='ResNett', depth=18))
        with pytest.raises(ConfigError, match="'depth'"):
            upstream.MODELS.build(dict(type='ResNet', detph=18))
    finally:
        del DefaultScope._instance_dict[name]


def test_a_name_clash_names_both_packages(things):
    with pytest.raises(ConfigError, match=r'Two packages .*test_registry.*force=True'):
        things.register_module(name='Thing', module=Open)
    things.register_module(name='Thing', module=Open, force=True)
    assert things.get('Thing') is Open


def test_of_two_equal_names_the_newcomer_fails(tmp_path, monkeypatch):
    """A plugin is loaded before our own modules are; its clash must not break ours."""
    (tmp_path / 'clash_own.py').write_text(
        'from segplug import registry\n'
        'from test_registry_things import THINGS\n'
        "THINGS.register_module(name='Taken', module=registry.Plugin)\n")
    monkeypatch.syspath_prepend(tmp_path)
    root = upstream.Registry('thing', scope='mmengine')
    things = Registry('thing', parent=root, scope='segplug_late', locations=['clash_own'])
    monkeypatch.setitem(sys.modules, 'test_registry_things',
                        types.SimpleNamespace(THINGS=things))
    with pytest.raises(ConfigError, match=r'segplug .*segplug.registry.* and .*test_registry'):
        things.register_module(name='Taken', module=Thing)
    assert things.get('Taken') is registry.Plugin


class _Point:
    """Stands for an importlib entry point."""

    def __init__(self, name, target):
        self.name, self.value, self._target = name, f'{name}_module', target
        self.dist = types.SimpleNamespace(name=f'{name}-dist', version='1.2')

    def load(self):
        if isinstance(self._target, Exception):
            raise self._target
        return self._target


@pytest.fixture
def points(monkeypatch):
    found = []
    monkeypatch.setattr(importlib.metadata, 'entry_points', lambda group: found)
    monkeypatch.setattr(registry, '_plugins', [])
    monkeypatch.setattr(registry, '_loaded', False)
    monkeypatch.delenv('SEGPLUG_NO_PLUGINS', raising=False)
    return found


def test_a_plugin_is_a_module_or_a_callable(points):
    called = []
    points += [_Point('callable', lambda: called.append(1)), _Point('module', sys)]
    plugins = registry.load_plugins()
    assert [p.name for p in plugins] == ['callable', 'module']
    assert called == [1]
    registry.load_plugins()
    assert called == [1], 'a second call loads nothing again'


def test_a_broken_plugin_is_reported_skipped_and_named_when_its_name_is_asked_for(points, caplog):
    points += [_Point('broken', ImportError('no such thing')), _Point('good', sys)]
    plugins = registry.load_plugins()
    assert plugins[0].error == 'ImportError: no such thing'
    assert plugins[1].error is None
    assert 'broken-dist 1.2' in caplog.text
    with pytest.raises(ConfigError, match="plugin 'broken' failed to load"):
        resolve('HeadOfTheBrokenPlugin', MODELS)


def test_a_plugin_that_exits_is_skipped_too(points):
    points.append(_Point('leaver', lambda: sys.exit(3)))
    assert registry.load_plugins()[0].error == 'SystemExit: 3'


def test_discovery_can_be_turned_off(points, monkeypatch):
    monkeypatch.setenv('SEGPLUG_NO_PLUGINS', '1')
    points.append(_Point('any', sys))
    assert registry.load_plugins() == []


def test_custom_imports_name_what_cannot_be_imported():
    with pytest.raises(ConfigError, match="'no_such_module_xyz'.*PYTHONPATH"):
        registry.import_custom(['no_such_module_xyz'])
    registry.import_custom(['no_such_module_xyz'], allow_failed=True)


def build(cfg):
    with DefaultScope.overwrite_default_scope('segplug'):
        return MODELS.build(cfg)


@pytest.mark.parametrize(('cfg', 'words'), [
    (dict(type='ResNet', depth='18'), "'depth' of ResNet .* a str.*Expected: int, in ResNet"),
    (dict(type='ResNet', depth=18, norm_cfg=dict(type='BM')), "'BM' is not a known model.*'BN'"),
    (dict(type='ResNet', depth=18, norm_cfg=dict(type='BN', mmentum=1)), "argument 'mmentum'"),
    (dict(type='ResNet', depth=18, init_cfg=[dict(type='Pretraned')]), "'Pretrained'"),
    (dict(type=3), 'The type of a model is no name'),
    ('ResNet', "described by a dict with a type. Got: 'ResNet', which is a str"),
    (None, 'described by a dict with a type'),
])
def test_what_cannot_be_meant_is_refused_before_it_is_made(cfg, words):
    with pytest.raises(ConfigError, match=words):
        build(cfg)


def test_what_a_constructor_raises_becomes_an_error_with_its_place_and_arguments():
    with pytest.raises(ConfigError, match=r'FCNHead cannot be made of its settings: .* \(raised '
                                          r'in .*\.py:\d+\)\. .*Expected: FCNHead\(') as caught:
        build(dict(type='FCNHead', in_channels=4, channels=-1, num_classes=2))
    assert caught.value.component['channels'] == -1
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_error_names_the_innermost_part():
    head = dict(type='FCNHead', in_channels=4, channels=4, num_classes=2)
    with pytest.raises(ConfigError) as caught:
        build(dict(type='EncoderDecoder', backbone=dict(type='ResNet', depth=18, stem='x'),
                   decode_head=head))
    assert caught.value.component['type'] == 'ResNet'


def test_settings_that_nothing_checked_are_told_too():
    with pytest.raises(ConfigError, match='The runner cannot be made of its settings: KeyError'), \
            registry.made_of_settings('The runner'):
        raise KeyError('by_epoch')
    with pytest.raises(RuntimeError), registry.made_of_settings('The runner'):
        raise RuntimeError('no device')
