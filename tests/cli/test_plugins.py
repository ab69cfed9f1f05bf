"""``segplug plugins list``, ``check`` and ``new``, and what people see of them."""

import re
import sys
from pathlib import Path

import pytest

from segplug import registry
from segplug.cli import main as front_door
from segplug.cli.main import main
from segplug.registry import Plugin

TESTS = Path(__file__).resolve().parents[1]


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


@pytest.fixture
def head_file(tmp_path, monkeypatch):
    """A module with a head, where one stands."""
    (tmp_path / 'odd_head.py').write_text(
        'from segplug.models.decode_heads import BaseDecodeHead\n'
        'from segplug.registry import MODELS\n\n\n'
        '@MODELS.register_module()\nclass OddHead(BaseDecodeHead):\n    """A classifier."""\n\n'
        '    def forward(self, inputs):\n'
        '        return self.cls_seg(self._transform_inputs(inputs))\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    yield tmp_path / 'odd_head.py'
    registry.MODELS.module_dict.pop('OddHead', None)
    sys.modules.pop('odd_head', None)


@pytest.mark.parametrize('name', ['odd_head', './odd_head.py'])
def test_check_of_what_stands_here(head_file, name, capsys):
    assert main(['plugins', 'check', name]) == 0
    out = capsys.readouterr().out
    assert '| OddHead   | head |' in out
    assert '1 component: 11 checks ok, 0 failed, 0 skipped; 0 not built' in out


def test_check_fails_where_a_component_does(head_file, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '200')  # the table fits
    head_file.write_text(head_file.read_text().replace('    """A classifier."""\n', ''))
    assert main(['plugins', 'check', 'odd_head']) == 1
    assert 'FAILED: OddHead has no docstring.' in ' '.join(capsys.readouterr().out.split())


def test_a_package_for_mmsegmentation_is_checked_as_it_is(monkeypatch, capsys):
    """What it breaks is as it should be: two docstrings less, a loss that no head calls."""
    import segplug.compat.mmseg as compat
    compat.remove()
    registries = [r for r in vars(registry).values() if isinstance(r, registry.Registry)]
    for found in registries:  # ours are imported once; later they would be missing
        found.import_from_location()
    before = {r: dict(r._module_dict) for r in registries}
    monkeypatch.setattr(sys, 'path', [*sys.path, str(TESTS / 'compat' / 'mmseg_plugin')])
    try:
        code = main(['plugins', 'check', 'striped', '--mmseg', '--only', 'StripesDataset',
                     'SharpLoss', 'EdgeHead', 'RefineHead', 'CountingHook', 'StripesMetric'])
    finally:
        compat.remove()
        for found, modules in before.items():
            found._module_dict.clear()
            found._module_dict.update(modules)
        for name in [n for n in sys.modules if n.split('.')[0] == 'striped']:
            del sys.modules[name]
    out = ' '.join(capsys.readouterr().out.replace('|', ' ').split())
    assert code == 1
    assert 'SharpLoss cannot be called with logits' in out
    assert re.search(r'6 components: \d\d checks ok, 3 failed, 9 skipped; 0 not built$', out)


def test_new_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(['plugins', 'new', 'edge_heads']) == 0
    out = capsys.readouterr().out
    assert 'pip install -e edge-heads-plugin' in out
    assert 'segplug plugins check edge_heads' in out
    assert main(['plugins', 'new', 'edge_heads']) == 1
    assert 'nothing is written over it' in capsys.readouterr().err


def test_help_is_quick_as_it_imports_nothing(monkeypatch):
    """That --help imports no torch is held in test_main; nor does it ask for a plugin's module."""
    monkeypatch.setattr(front_door, 'import_module', lambda name: pytest.fail(name))
    assert main(['--help']) == 0
