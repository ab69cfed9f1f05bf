"""A package with a fault in each component: each is found by the check of it, and by no other."""

import sys
from pathlib import Path

import pytest

from segplug import registry as registries
from segplug.contract import check_package, is_kept, table
from segplug.contract.checking import NOT_BUILT as STATE_NOT_BUILT
from segplug.contract.checking import Result
from segplug.contract.package import load_package
from segplug.errors import ConfigError

PLUGIN = Path(__file__).parent / 'faulty_plugin'


@pytest.fixture(scope='module')
def results():
    """Of all its components; the registries are left as they were."""
    all_of_them = [r for r in vars(registries).values() if isinstance(r, registries.Registry)]
    for registry in all_of_them:
        registry.import_from_location()
    before = [dict(r._module_dict) for r in all_of_them]
    sys.path.insert(0, str(PLUGIN))
    yield check_package('faulty')
    sys.path.remove(str(PLUGIN))
    for registry, modules in zip(all_of_them, before, strict=True):
        registry._module_dict.clear()
        registry._module_dict.update(modules)
    for name in [n for n in sys.modules if n.split('.')[0] == 'faulty']:
        del sys.modules[name]


@pytest.fixture
def faulty(results):
    return sys.modules['faulty']


def test_each_fault_is_found_and_nothing_else(results, faulty):
    failed = {}
    for result in results:
        if result.state == 'FAILED':
            failed.setdefault(result.component, set()).add(result.check)
    assert failed == faulty.FAULTS


def test_what_cannot_be_built_is_told_with_the_line_to_write(results, faulty):
    reasons = {r.component: r.reason for r in results if r.state == STATE_NOT_BUILT}
    assert set(reasons) == set(faulty.NOT_BUILT)
    for name, line in faulty.NOT_BUILT.items():
        assert line in reasons[name]


def test_a_row_excuses_a_component(results):
    states = {(r.state, r.reason) for r in results if r.component == 'ExcusedLoss'}
    assert states == {('skipped', 'its target is a map of edges')}


def test_every_component_is_listed(results, faulty):
    assert {r.component for r in results} == {
        *faulty.FAULTS, *faulty.NOT_BUILT, 'ExcusedLoss'}
    assert not is_kept(results)


def test_reasons_are_sentences(results):
    for result in results:
        if result.state == 'FAILED':
            assert result.reason.rstrip().endswith('.'), result
            assert '\n' not in result.reason


def test_the_line_at_fault_is_the_plugins(results):
    reason, = [r.reason for r in results if r.component == 'DeafBackend' and r.state == 'FAILED']
    assert 'a float is wanted' in reason
    assert 'training.py:' in reason


def test_only_some(results):
    found = check_package('faulty', only=['PlainLoss'])
    assert {r.component for r in found} == {'PlainLoss'}
    with pytest.raises(ConfigError, match='PlainLoss'):
        check_package('faulty', only=['PlainLos'])


def test_a_config_says_how_it_is_made(results, tmp_path):
    file = tmp_path / 'config.py'
    file.write_text("model = dict(type='EncoderDecoder', decode_head=dict(type='NeedyHead', "
                    'patience=3, in_channels=4, channels=4, num_classes=3))\n')
    assert is_kept(check_package('faulty', configs=[file], only=['NeedyHead']))


def test_the_table_joins_what_came_out_alike():
    rows = table([Result('A', 'head', 'one', 'ok'), Result('A', 'head', 'two', 'ok'),
                  Result('A', 'head', 'three', 'FAILED', 'It fails.'),
                  Result('A', 'head', 'four', 'FAILED', 'It fails.')]).splitlines()
    assert '| A         | head | one, two    | ok' in rows[3]
    assert '|           |      | three, four | FAILED: It fails.' in rows[4]
    assert rows[-1] == '1 component: 2 checks ok, 2 failed, 0 skipped; 0 not built'


@pytest.mark.parametrize(('text', 'said'), [
    ('import mmseg.registry', '--mmseg'), ('1 / 0', 'ZeroDivisionError'), ('', 'registers nothing'),
    ("raise SystemExit('gone')", 'SystemExit')])
def test_a_package_that_cannot_be_checked_is_one_error(text, said, tmp_path, monkeypatch):
    (tmp_path / 'odd_plugin.py').write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'odd_plugin', raising=False)
    with pytest.raises(ConfigError, match=said):
        load_package('odd_plugin')


def test_a_package_that_is_not_there_is_one_error():
    with pytest.raises(ConfigError, match='There is no package'):
        load_package('no_such_package')
