"""Packages that segplug does without: imported where they are used, with an error that says how."""

import importlib
from types import ModuleType

from ...errors import ConfigError


def import_extra(name: str, extra: str, owner: str) -> ModuleType:
    """The module ``name``, of a package that the extra ``extra`` of segplug installs.

    Raises:
        ConfigError: It is not installed, or does not import beside the torch that is there.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError, OSError) as error:
        package = name.partition('.')[0]
        absent = isinstance(error, ModuleNotFoundError) and error.name == package
        what = 'is not installed' if absent else 'cannot be imported'
        fix = f'pip install "segplug[{extra}]"'
        if not absent:
            fix += '; torch and torchvision must be of one release, both for CPU or for one CUDA'
        raise ConfigError(f'{owner} needs {package}, which {what}.', culprit=owner, fix=fix,
                          got=None if absent else f'{type(error).__name__}: {error}') from error
