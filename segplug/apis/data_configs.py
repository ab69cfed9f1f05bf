"""JSON and YAML configs are data: what would run code from one is refused.

A Python config is a program, and is trusted as one. A JSON or YAML file may come from anywhere, so
it names components that are registered, and nothing by its import path; mmengine imports whatever
a ``type`` names.
"""

import importlib.util
import keyword
from collections.abc import Iterator
from pathlib import Path

from mmengine.registry import MODELS as ROOT

from .. import registry
from ..errors import ConfigError
from .places import shipped_configs

SUFFIXES = ('.json', '.yaml', '.yml')
# What mmengine looks up in a registry, and imports where it is not there.
_NAMES = ('type', 'constructor', 'runner_type')
# What mmengine imports the module ``registry`` of.
_SCOPES = ('_scope_', 'default_scope')
# What a backend for files (mmengine's memcached) adds to the folders that Python imports from.
_IMPORT_PATHS = ('sys_path',)
_MOST_LEVELS = 50  # of dicts in dicts


def is_data(path: str) -> bool:
    """Whether a config's file is data by its suffix."""
    return Path(path).suffix.lower() in SUFFIXES


def check_base(base: str, child: str) -> None:
    """Raise where a data config has a base that is code, unless that is one of ours."""
    shipped = shipped_configs().resolve() in Path(base).resolve().parents
    if is_data(child) and not shipped and ('::' in base or not is_data(base)):
        raise ConfigError(f'{child} is data, but its base {base} is code.', culprit='_base_',
                          expected='a JSON or YAML file, or a shipped config as segplug::PATH',
                          fix='make the config itself a Python file if you trust its bases')


def check_data_config(cfg: dict, path: Path) -> None:
    """Raise for whatever would import a module by name.

    Args:
        cfg: The resolved config, bases included.
        path: Its file, for messages.

    Raises:
        ConfigError: Where a component is named by an import path, a scope is unknown, there are
            ``custom_imports``, or a top-level name is none in Python.
    """
    if cfg.get('custom_imports') is not None:
        raise ConfigError(f'{path} has custom_imports, which would run code.',
                          culprit='custom_imports', fix='make it a Python config, which is code '
                          'anyway, or install the modules as a plugin')
    for key in cfg:
        if not str(key).isidentifier() or keyword.iskeyword(str(key)):
            raise ConfigError(f'{path} sets {key!r}, which cannot be the name of anything.',
                              expected='letters, digits and underscores', culprit=str(key))
    scopes = _known_scopes()
    for place, key, value in _items(cfg, path):
        _check_item(path, place, key, value, scopes)


def _check_item(path: Path, place: str, key: str, value, scopes: set[str]) -> None:
    if key in _SCOPES and value is not None and (
            not isinstance(value, str) or value not in scopes):
        raise ConfigError(f'{path}: {place} is no scope that is loaded.', got=repr(value),
                          expected=f'one of {", ".join(sorted(scopes))}', culprit=str(value))
    if key in _IMPORT_PATHS:
        raise ConfigError(f'{path}: {place} says where to import from, which only a Python config '
                          'may.', got=repr(value), culprit=key)
    if key in _NAMES and isinstance(value, str) and not _is_name(value, scopes):
        raise ConfigError(
            f'{path}: {place} names something to import, which only a Python config may.',
            got=repr(value), expected='the name of a registered component', culprit=value)


def _known_scopes() -> set[str]:
    return {'mmseg', ROOT.scope, registry.SCOPE, *ROOT.children}


def _items(node, path: Path, place: str = '', level: int = 0) -> Iterator[tuple[str, str, object]]:
    """(dotted place, key, value) of everything in dicts, at any depth."""
    if level > _MOST_LEVELS:
        raise ConfigError(f'{path} is nested more than {_MOST_LEVELS} times.', got=f'{place:.100}')
    items = node.items() if isinstance(node, dict) else \
        enumerate(node) if isinstance(node, list | tuple) else ()
    for key, value in items:
        inner = f'{place}.{key}' if place else str(key)
        if isinstance(node, dict):
            yield inner, str(key), value
        yield from _items(value, path, inner, level + 1)


def _is_name(value: str, scopes: set[str]) -> bool:
    """Whether ``value`` can only mean a component: registered, or nothing that can be imported."""
    scope, dot, name = value.rpartition('.')
    if dot and scope not in scopes:
        return False
    if name in _registered():
        return True
    return not dot and name.isidentifier() and not _is_module(name)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # ValueError: a module without a spec, such as __main__
        return True


def _registered() -> set[str]:
    """Every name of every registry, plugins' too; found anew each time, as plugins may come."""
    return {name for found in vars(registry).values() if isinstance(found, registry.Registry)
            for name in found.names()}
