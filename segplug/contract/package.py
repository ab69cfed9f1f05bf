"""A third party's package: finding it, importing it, and which components it registers.

What counts as its own is registered by a class of the package, or by its import.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import mmengine.optim  # noqa: F401  (registers torch's optimizers, which are nobody's)
from mmengine.registry import Registry

from .. import discovery
from .. import registry as registries
from ..errors import ConfigError, did_you_mean
from ..registry import SCOPE
from .case import ContractError

_FAMILY = {SCOPE, 'mmengine', 'mmcv', 'mmseg'}


@dataclass
class Component:
    """Something that a package registers.

    Attributes:
        name: By which a config names it.
        kind: The name of segplug's registry: 'MODELS'.
        registry: Where it is registered: segplug's, mmengine's above it, or one of another scope.
        cls: What is built.
        replaced: Where the class comes from that had this name before, if there was one.
    """

    name: str
    kind: str
    registry: Registry
    cls: type
    replaced: str | None = None

    def check_name(self) -> None:
        """Raise where the name is taken."""
        if self.replaced is not None:
            raise ContractError(
                f'{self.name} takes the name of another {self.registry.name}, so that every '
                'config that names it means something else.', got=f'replaced: {self.replaced}',
                fix='rename it')


@dataclass
class Package:
    """An imported package: its modules' common name, and its components."""

    module: str
    components: list[Component]

    def declared(self) -> list[dict]:
        """The rows of ``segplug_contract`` in its modules."""
        rows = []
        for name, module in list(sys.modules.items()):
            if _inside(name, self.module):
                given = vars(module).get('segplug_contract', [])
                if not isinstance(given, (list, tuple)) or not all(
                        isinstance(row, dict) and 'type' in row for row in given):
                    raise ConfigError(f'segplug_contract of {name} has an unknown form.',
                                      got=given, expected="[dict(type='MyHead', ...), ...]")
                rows += [row for row in given if row not in rows]
        return rows

    def configs(self) -> list[Path]:
        """Config files that come with it: in the package, or beside it in a checkout."""
        file = getattr(sys.modules[self.module], '__file__', None)
        if file is None or Path(file).name != '__init__.py':
            return []
        folder = Path(file).resolve().parent
        places = [folder / 'configs', folder / '.mim' / 'configs']
        if any((folder.parent / name).is_file() for name in ('setup.py', 'pyproject.toml')):
            places.append(folder.parent / 'configs')
        return sorted(path for place in places for path in place.rglob('*.py')
                      if '_base_' not in path.parts)


def load_package(name: str) -> Package:
    """Import the package that ``name`` means.

    Args:
        name: Of a module, of an installed distribution, of an entry point of the group
            ``segplug.plugins``; or a path of a package, a module or a project.

    Raises:
        ConfigError: There is none, it cannot be imported, or it registers nothing.
    """
    before = {id(r): dict(r._module_dict) for _, r in _all_registries()}
    module, call = _target(name)
    if module.split('.')[0] in _FAMILY:
        raise ConfigError(f'{module!r} is no third party.', culprit=name,
                          fix='give a package that registers components of its own')
    _import(module, call)
    own = []
    for kind, registry in _all_registries():
        known = before.get(id(registry), {})
        for key, cls in registry._module_dict.items():
            old = known.get(key)
            home = getattr(cls, '__module__', '') or ''
            is_new = key not in known or old is not cls
            if _inside(home, module) or (is_new and home.split('.')[0] not in _FAMILY):
                own.append(Component(key, kind, registry, cls, _replaced(registry, key, cls, old)))
    if not own:
        raise ConfigError(f'The package {module!r} registers nothing.', culprit=module,
                          fix='decorate its classes with @MODELS.register_module() and import '
                              f'their modules in {module}/__init__.py')
    return Package(module, own)


def _all_registries() -> Iterator[tuple[str, Registry]]:
    """Each of segplug's by the name it has there, then mmengine's above it and its neighbours."""
    for kind, registry in vars(registries).items():
        if isinstance(registry, registries.Registry):
            registry.import_from_location()
            yield kind, registry
            yield kind, registry.parent
            for scope, child in registry.parent.children.items():
                if child is not registry and scope != 'mmseg':
                    yield kind, child


def _replaced(registry: Registry, key: str, cls, old) -> str | None:
    """Where the class comes from that the name stood for in a config of segplug's scope."""
    if old is None and registry.scope == SCOPE:
        old = registry.parent._module_dict.get(key)
    return None if old is None or old is cls else f'{old.__module__}.{old.__name__}'


def _inside(name: str, module: str) -> bool:
    return name == module or name.startswith(f'{module}.')


def _target(name: str) -> tuple[str, str | None]:
    """The module that ``name`` means, and what of it is to be called."""
    points = list(discovery.entry_points(discovery.COMPONENTS))
    for point, package, _ in points:
        if name in (point.name, package) or name.replace('-', '_') == package.replace('-', '_'):
            return point.module.split('.')[0], point.value
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    path = Path(name)
    if path.exists() and (path.is_dir() or path.suffix == '.py') and (
            path.suffix or not name.isidentifier()):  # else it may be a module's name
        return _by_path(path.resolve()), None
    if name.isidentifier() or all(part.isidentifier() for part in name.split('.')):
        try:
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin is None:  # a project's folder of the same name
                return _by_path(Path(next(iter(spec.submodule_search_locations)))), None
            if spec is not None:
                return name, next((p.value for p, *_ in points
                                   if _inside(p.module, name)), None)
        except (ImportError, ValueError):
            pass
    raise ConfigError(f'There is no package {name!r}.', culprit=name, fix=did_you_mean(
        name, [text for point, package, _ in points for text in (point.name, package)])
        or 'install it, or stand in the folder that holds it')


def _by_path(path: Path) -> str:
    """The module of a package's folder, of a file, or of the one package in a project."""
    if path.is_dir() and not (path / '__init__.py').is_file():
        inside = [p.parent for p in sorted(path.glob('*/__init__.py'))
                  if p.parent.name not in ('tests', 'configs', 'build')]
        if len(inside) != 1:
            raise ConfigError(f'The folder {path} is no package.',
                              got=f'{len(inside)} packages in it',
                              fix='give the folder that holds __init__.py')
        path = inside[0]
    sys.path.insert(0, str(path.parent))
    return path.stem


def _import(module: str, call: str | None) -> None:
    try:
        importlib.import_module(module)
        if call is not None:
            target = metadata.EntryPoint('', call, discovery.COMPONENTS).load()
            if callable(target):
                target()
    except (Exception, SystemExit) as error:  # a third party's code may raise anything
        missing = getattr(error, 'name', None) if isinstance(error, ImportError) else None
        fix = 'mend what it says, or install what is missing'
        if missing and _inside(missing, 'mmseg'):
            fix = 'it is written for mmsegmentation: add --mmseg'
        raise ConfigError(f'The package {module!r} cannot be imported: {type(error).__name__}: '
                          f'{str(error).rstrip(".")}.', culprit=module, fix=fix) from error
