"""Serves the modules of `names.MODULES` as ``mmseg.*``, each filled with what `resolve` finds.

A module is made when it is imported, and a name is looked up when it is read, so that importing
one head imports no data set.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from ...errors import ConfigError
from .names import MODULES, PACKAGES
from .resolve import home_of, resolve

ROOT = 'mmseg'


class _Module(ModuleType):
    """A module whose names are looked up when they are first read."""

    def __getattr__(self, name: str):
        path = self.__name__.partition('.')[2]
        home = path if name in MODULES[path] else home_of(name)
        if home is not None:
            value = resolve(home, name)
        elif f'{path}.{name}'.lstrip('.') in MODULES:
            return importlib.import_module(f'{self.__name__}.{name}')
        else:
            raise AttributeError(f'module {self.__name__!r} has no attribute {name!r}')
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value) -> None:
        # The import system binds each submodule; losses.accuracy is a function all the same.
        if not (isinstance(value, ModuleType) and name in MODULES[self.__name__.partition('.')[2]]):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *MODULES[self.__name__.partition('.')[2]]})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and makes the modules ``mmseg`` and below."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """The specification of a module of the table; None for all others."""
        root, _, below = fullname.partition('.')
        if root != ROOT or below not in MODULES:
            return None
        return ModuleSpec(fullname, self, origin=__file__, is_package=below in PACKAGES)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """What is not looked up by name."""
        path = module.__name__.partition('.')[2]
        module.__file__ = __file__
        module.__all__ = list(MODULES[path])
        if not path:
            from ... import __version__
            module.__segplug__ = __version__


def refuse_the_real_one() -> None:
    """Raise a `ConfigError` where mmsegmentation itself can be imported."""
    module = sys.modules.get(ROOT)
    if module is not None:
        found = None if hasattr(module, '__segplug__') else module.__file__
    else:
        spec = importlib.util.find_spec(ROOT)
        # A folder that happens to be called so has no origin.
        found = None if spec is None or isinstance(spec.loader, Finder) else spec.origin
    if found is not None:
        raise ConfigError(
            "segplug.compat.mmseg lends mmsegmentation's names, and mmsegmentation itself is "
            'installed.', got=found, expected='one of the two',
            fix='uninstall it (pip uninstall mmsegmentation), leave the folder that holds its '
                'sources, or do without segplug.compat.mmseg')
