"""``segplug plugins list``."""

from segplug import registry
from segplug.cli.main import main
from segplug.registry import Plugin


def test_list_shows_package_version_and_state(monkeypatch, capsys):
    plugins = [Plugin('good', 'good_module', 'good-dist', '1.0'),
               Plugin('bad', 'bad_module', 'bad-dist', '2.0', 'ImportError: x')]
    monkeypatch.setattr(registry, 'load_plugins', lambda: plugins)
    monkeypatch.delenv('SEGPLUG_NO_PLUGINS', raising=False)
    assert main(['plugins', 'list']) == 0
    out = capsys.readouterr().out
    assert 'good-dist' in out
    assert 'loaded' in out
    assert 'ImportError: x' in out


def test_list_says_when_discovery_is_off(monkeypatch, capsys):
    monkeypatch.setenv('SEGPLUG_NO_PLUGINS', '1')
    main(['plugins', 'list'])
    assert 'SEGPLUG_NO_PLUGINS' in capsys.readouterr().out
