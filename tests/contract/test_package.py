"""Finding a third party's package by whatever names it, and what it registers."""

import sys

import pytest

from segplug import registry
from segplug.contract.package import load_package
from segplug.errors import ConfigError

HOOK = '''from mmengine.hooks import Hook
from segplug.registry import HOOKS


@HOOKS.register_module()
class OddlyNamedHook(Hook):
    """Does nothing."""
'''


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder on the path, where one stands; what is registered or imported from it goes."""
    registries = [r for r in vars(registry).values() if isinstance(r, registry.Registry)]
    for found in registries:  # ours are imported once; later they would be missing
        found.import_from_location()
    before = {r: dict(r._module_dict) for r in registries}
    modules = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv('SEGPLUG_NO_PLUGINS', raising=False)
    yield tmp_path
    for found, classes in before.items():
        found._module_dict.clear()
        found._module_dict.update(classes)
    for name in [n for n in set(sys.modules) - modules if n.startswith('odd')]:
        del sys.modules[name]


def install(here, target='odd_pack'):
    info = here / 'odd_dist-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: odd-dist\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(f'[segplug.plugins]\noddity = {target}\n')


def write(folder, name='odd_pack', text=HOOK):
    (folder / name).mkdir(parents=True)
    (folder / name / '__init__.py').write_text(text)


@pytest.mark.parametrize('name', ['odd_pack', 'odd-dist', 'odd_dist', 'oddity', './odd_pack'])
def test_by_module_distribution_entry_point_and_path(here, name):
    write(here)
    install(here)
    package = load_package(name)
    assert package.module == 'odd_pack'
    assert [c.name for c in package.components] == ['OddlyNamedHook']
    assert package.components[0].kind == 'HOOKS'


@pytest.mark.parametrize('name', ['odd-project', './odd-project', '.'])
def test_by_the_folder_of_a_project(here, name, monkeypatch):
    write(here / 'odd-project')
    if name == '.':
        monkeypatch.chdir(here / 'odd-project')
    assert load_package(name).module == 'odd_pack'


def test_a_project_in_a_folder_of_its_own_name(here):
    write(here / 'odd_pack')
    assert [c.name for c in load_package('odd_pack').components] == ['OddlyNamedHook']


def test_an_entry_point_that_is_a_function_is_called(here):
    write(here, text='def register():\n    from . import odd_hooks\n')
    (here / 'odd_pack' / 'odd_hooks.py').write_text(HOOK)
    install(here, 'odd_pack:register')
    assert [c.name for c in load_package('odd-dist').components] == ['OddlyNamedHook']


def test_what_the_import_registers_of_others_is_its_own(here):
    """A class of torch under a name of the package; not what segplug registers meanwhile."""
    write(here, text='import torch\nfrom segplug.registry import OPTIMIZERS\n'
                     "OPTIMIZERS.register_module('OddSGD', module=torch.optim.SGD)\n")
    assert [(c.name, c.replaced) for c in load_package('odd_pack').components] == [
        ('OddSGD', None)]


def test_a_name_of_mmengine_that_is_taken_is_told(here):
    write(here, text='import torch\nfrom segplug.registry import OPTIMIZERS\n'
                     "OPTIMIZERS.register_module('AdamW', module=torch.optim.SGD)\n")
    component, = load_package('odd_pack').components
    assert component.replaced == 'torch.optim.adamw.AdamW'


@pytest.mark.parametrize('name', ['segplug', 'mmengine', 'segplug.models'])
def test_segplug_itself_is_no_third_party(name):
    with pytest.raises(ConfigError, match='no third party'):
        load_package(name)


def test_rows_of_an_unknown_form_are_an_error(here):
    write(here, text=f"{HOOK}\nsegplug_contract = dict(type='OddlyNamedHook')\n")
    with pytest.raises(ConfigError, match='segplug_contract of odd_pack'):
        load_package('odd_pack').declared()


def test_configs_beside_it_count_in_a_checkout(here):
    write(here / 'odd-project')
    for folder in ('odd_pack/configs', 'configs/_base_', 'configs'):
        (here / 'odd-project' / folder).mkdir(parents=True, exist_ok=True)
        (here / 'odd-project' / folder / 'a.py').write_text('')
    package = load_package('./odd-project')
    assert [p.parent.parent.name for p in package.configs()] == ['odd_pack']
    (here / 'odd-project' / 'pyproject.toml').write_text('')
    assert {p.parent.parent.name for p in package.configs()} == {'odd_pack', 'odd-project'}
