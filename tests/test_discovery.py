"""Entry points of the path, and the switch that turns them off."""

import pytest

from segplug.discovery import entry_points, plugins_disabled


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Two packages with metadata; one of them is found twice, as through an editable install."""
    for folder, name in (('one', 'b-pack'), ('two', 'a-pack'), ('again', 'b-pack')):
        info = tmp_path / folder / f'{name.replace("-", "_")}-1.0.dist-info'
        info.mkdir(parents=True)
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
        (info / 'entry_points.txt').write_text(f'[my.group]\n{name[0]} = {name[0]}_module\n')
        monkeypatch.syspath_prepend(str(tmp_path / folder))


def test_they_come_by_name_and_once(installed):
    assert [(p.name, p.value, package, version) for p, package, version in
            entry_points('my.group')] == [('a', 'a_module', 'a-pack', '1.0'),
                                          ('b', 'b_module', 'b-pack', '1.0')]


@pytest.mark.parametrize(('value', 'off'), [('1', True), ('0', False), ('', False)])
def test_the_switch(installed, monkeypatch, value, off):
    monkeypatch.setenv('SEGPLUG_NO_PLUGINS', value)
    assert plugins_disabled() is off
    assert list(entry_points('my.group')) == [] or not off
