"""Inert stand-ins for what others' checkpoints hold beside tensors and plain data.

torch's weights-only unpickler calls only what it is told to trust. mmengine stores its log as
HistoryBuffer objects (numpy arrays, and methods fetched by ``getattr``); the functions here
carry those names, check their arguments, and build nothing that runs code. `unpickled` turns what
they made into data.
"""

import pickle
from pathlib import PurePath

import numpy as np


def _named(module: str, name: str):
    """Give a function or class the name under which the unpickler meets it."""
    def rename(target):
        target.__module__, target.__name__, target.__qualname__ = module, name, name
        return target
    return rename


@_named('mmengine.logging.history_buffer', 'HistoryBuffer')
class HistoryBuffer:
    """The state of an mmengine HistoryBuffer; `plain` turns it into data."""

    def __setstate__(self, state: dict) -> None:
        self.state = state

    def plain(self, state: dict) -> dict:
        """dict(log_history, count_history, max_length) of a state that is data, as numpy."""
        return dict(log_history=np.asarray(state.get('_log_history', ()), dtype=np.float64),
                    count_history=np.asarray(state.get('_count_history', ()), dtype=np.float64),
                    max_length=int(state.get('max_length', 1000000)))


@_named('argparse', 'Namespace')
class Namespace:
    """The arguments of a program, which many store beside the weights; a dict of them later."""

    def __setstate__(self, state: dict) -> None:
        self.state = state


def _path(*parts):
    if not all(isinstance(part, str) for part in parts):
        raise pickle.UnpicklingError(f'a path of {parts!r:.100} is not data')
    return str(PurePath(*parts))


@_named('mmengine.optim.scheduler.param_scheduler', 'OneCycleParamScheduler')
class _OneCycle:
    """Whose annealing function stands in the state of a OneCycleLR."""


_METHODS = {HistoryBuffer: ('min', 'max', 'current', 'mean', 'statistics', 'update'),
            _OneCycle: ('_annealing_cos', '_annealing_linear')}


class Method:
    """Where a method stood, which whoever reads the state makes anew."""


@_named('builtins', 'getattr')
def _getattr(target, name):
    """``getattr`` for a few methods' names only; the method itself is not handed out."""
    if name not in next((names for known, names in _METHODS.items() if known is target), ()):
        raise pickle.UnpicklingError(f'getattr({target!r}, {name!r}) is not data')
    return Method()


@_named('numpy', 'dtype')
class _Dtype:
    """numpy.dtype of numbers and text; object arrays would need arbitrary classes."""

    def __init__(self, code: str, align: bool = False, copy: bool = True) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in 'biufcSU':
            raise pickle.UnpicklingError(f'numpy arrays of type {code!r} are not plain data')

    def __setstate__(self, state: tuple) -> None:
        if state[1] in ('<', '>'):
            self.dtype = self.dtype.newbyteorder(state[1])


@_named('numpy', 'ndarray')
class _Array:
    """numpy.ndarray, built from bytes once its state arrives."""

    array: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        flat = np.frombuffer(data, dtype=dtype.dtype)
        self.array = flat.reshape(shape, order='F' if fortran else 'C').copy()


def _reconstruct(kind, shape, code):
    if kind is not _Array:
        raise pickle.UnpicklingError(f'{kind!r} is not a numpy array')
    return _Array()


def _scalar(dtype, data):
    return np.frombuffer(data, dtype=dtype.dtype)[0].item()


@_named('_codecs', 'encode')
def _encode(text, encoding):
    """Bytes as pickle's protocol 2 writes them."""
    if not isinstance(text, str) or encoding != 'latin1':
        raise pickle.UnpicklingError(f'encoding {encoding!r} is not plain data')
    return text.encode('latin1')


def _alias(function, module: str, name: str):
    def call(*args):
        return function(*args)
    return _named(module, name)(call)


def stand_ins() -> list:
    """Everything the unpickler is allowed to call beyond torch's own list."""
    numpy_functions = [
        _alias(function, f'numpy.{core}.multiarray', name) for core in ('core', '_core')
        for name, function in (('_reconstruct', _reconstruct), ('scalar', _scalar))]
    paths = [_alias(_path, module, name) for module in ('pathlib', 'pathlib._local')
             for name in ('PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath')]
    return [HistoryBuffer, Namespace, _OneCycle, _getattr, _Dtype, _Array, _encode,
            *numpy_functions, *paths]


STAND_INS = (_Array, _Dtype)


def unwrapped(value):
    """What a stand-in of numpy stands for; AttributeError if its state never came."""
    return value.array if isinstance(value, _Array) else str(value.dtype)
