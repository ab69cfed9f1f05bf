"""A plugin from the template: names, and that nothing is written over. That it works is held by
tests/examples."""

import ast

import pytest

from segplug.apis import new_plugin as module
from segplug.apis.new_plugin import new_plugin, renamed, stem_of, template, template_files
from segplug.errors import ConfigError


def test_the_example_is_the_template_and_its_own_name_gives_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'check_name', lambda name: None)  # GatedHead may be registered
    folder = new_plugin('segplug_gated', tmp_path / 'out')
    written = {p.relative_to(folder) for p in folder.rglob('*') if p.is_file()}
    assert written == set(template_files())
    assert all((folder / p).read_bytes() == (template() / p).read_bytes() for p in written)


def test_names_are_the_plugins_everywhere(tmp_path):
    folder = new_plugin('edge_heads', tmp_path / 'edge')
    for path in folder.rglob('*'):
        assert 'gated' not in path.name.lower()
        if path.suffix == '.py':
            ast.parse(path.read_text())
        if path.is_file():
            assert 'gated' not in path.read_text().lower()
    assert 'class EdgeHead(' in (folder / 'edge_heads' / 'edge_head.py').read_text()
    assert 'edge = edge_heads\n' in (folder / 'setup.cfg').read_text()
    assert 'name = edge-heads\n' in (folder / 'setup.cfg').read_text()
    assert (folder / 'configs' / 'edge_r18_minicity.py').is_file()


@pytest.mark.parametrize(('name', 'stem', 'head'), [
    ('segplug_gated', 'gated', 'GatedHead'), ('my_heads', 'my', 'MyHead'), ('a', 'a', 'AHead'),
    ('segplug_heads', 'heads', 'HeadsHead'),
    ('two_words_head', 'two_words', 'TwoWordsHead'), ('_heads', '_heads', 'HeadsHead')])
def test_stems(name, stem, head):
    assert stem_of(name) == stem
    assert renamed('GatedHead', name) == head


@pytest.mark.parametrize(('name', 'said'), [
    ('my-heads', 'call it my_heads'), ('class', 'call it my_class'), ('1st', 'call it my_1st'),
    ('', 'no name'), ('_private', 'call it private'), ('straße', 'no name'),
    ('json', 'Python has a module'), ('torch', 'is installed'), ('point', 'PointHead')])
def test_names_that_cannot_be(name, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        new_plugin(name, tmp_path / 'x')
    assert not (tmp_path / 'x').exists()


def test_an_existing_folder_stays_as_it_is(tmp_path):
    with pytest.raises(ConfigError, match='nothing is written over it'):
        new_plugin('edge_heads', tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_by_default_it_stands_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new_plugin('edge_heads').name == 'edge-heads-plugin'
    assert (tmp_path / 'edge-heads-plugin' / 'edge_heads' / '__init__.py').is_file()
