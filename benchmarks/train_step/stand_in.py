"""A stand-in for mmcv's compiled operators, with which mmsegmentation runs on mmcv-lite."""

import sys
import types
from importlib.machinery import ModuleSpec

_NAME = 'mmcv._ext'


def lend() -> None:
    """Let ``mmcv._ext`` be a module that has every operator and can run none."""
    module = types.ModuleType(_NAME)
    module.__spec__ = ModuleSpec(_NAME, None)  # who asks for a loader hears that there is none
    module.__getattr__ = _attribute
    sys.modules[_NAME] = module


def _attribute(name: str):
    if name.startswith('__'):
        raise AttributeError(name)
    return _missing


def _missing(*arguments, **more):
    raise RuntimeError('mmcv-lite has no compiled operators.')
