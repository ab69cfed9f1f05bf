"""A checkpoint is data: how it is written and read.

Written to a temporary name, synced and renamed, so that a name never stands for half a file.
Read by torch's weights-only unpickler, with inert stand-ins for what mmengine's files hold;
nothing in it is ever evaluated.
"""

import contextlib
import os
import pickle
import re
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.torch_version import TorchVersion

from ..errors import CheckpointError
from . import archive, safe_pickle, safe_tensors, unpickled
from .neighbours import good_beside
from .pretrained import resolve_source
from .whole_file import whole_file

__all__ = ['check_plain', 'load_checkpoint', 'read_checkpoint', 'resolve_source',
           'save_checkpoint', 'to_plain']

_SCALARS = (type(None), bool, int, float, complex, str, bytes)


# --- writing -------------------------------------------------------------------------------


def to_plain(value, move: bool = True):
    """``value`` with numpy, paths and subclasses of dict, list and str turned into plain data.

    Tensors come back detached, and on the CPU unless ``move`` is False. What cannot be turned is
    left as it is; `check_plain` names it.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu() if move else value.detach()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biufc':
        return torch.from_numpy(np.array(value))
    if isinstance(value, os.PathLike):
        return str(value)
    if isinstance(value, OrderedDict):
        plain = OrderedDict((to_plain(k), to_plain(v, move)) for k, v in value.items())
        plain.__dict__.update(to_plain(dict(value.__dict__)))
        return plain
    if isinstance(value, dict):
        return {to_plain(k): to_plain(v, move) for k, v in value.items()}
    if isinstance(value, list | tuple):
        items = [to_plain(v, move) for v in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, str | TorchVersion):
        return str.__str__(value)
    return value


def first_unplain(value, where: str = 'checkpoint') -> tuple[str, object] | None:
    """(key path, value) of the first thing that is neither plain data nor a tensor."""
    if type(value) in _SCALARS or isinstance(value, Tensor):
        return None
    if type(value) in (dict, OrderedDict):
        for key, item in value.items():
            if type(key) not in (str, int, float, bool):
                return f'{where} (a key)', key
            if found := first_unplain(item, f'{where}[{key!r}]'):
                return found
        return None
    if type(value) in (list, tuple):
        return next((f for i, item in enumerate(value)
                     if (f := first_unplain(item, f'{where}[{i}]'))), None)
    return where, value


def check_plain(obj: dict) -> None:
    """Raise a CheckpointError where something is neither plain data nor a tensor."""
    if found := first_unplain(obj):
        raise CheckpointError(
            f'{found[0]} cannot be stored: a checkpoint holds tensors and plain data only.',
            got=f'{type(found[1]).__module__}.{type(found[1]).__qualname__}',
            expected='tensors, numbers, text, None, and dicts, lists and tuples of them')


def save_checkpoint(obj: dict, path: str | os.PathLike) -> None:
    """Write ``obj`` (tensors and plain data only) so that ``path`` is whole or does not exist.

    Raises:
        CheckpointError: Something else is in ``obj``; its key path is named.
        OutputError: The disk is full, read-only or gone; what was under ``path`` stays.
    """
    check_plain(obj)
    with whole_file(path, 'w+b') as file:
        torch.save(obj, file)
        archive.seal(file)


# --- reading -------------------------------------------------------------------------------


def load_checkpoint(source: str | os.PathLike, map_location='cpu') -> dict:
    """Read a checkpoint as plain data and tensors, whoever wrote it.

    Args:
        source: A path, an http(s) address or a name of `pretrained.TABLE`.
        map_location: As in torch.load.

    Raises:
        CheckpointError: It is missing, damaged, not a checkpoint, or holds more than data.
    """
    path = resolve_source(source)
    try:
        return read_checkpoint(path, map_location)
    except DamagedCheckpoint as error:
        if (other := good_beside(path)) is not None:
            error.fix = f'use {other}, which is whole'
        raise


def read_checkpoint(path: str | os.PathLike, map_location='cpu') -> dict:
    """`load_checkpoint` of a file on this machine; other files beside it are not looked at."""
    path = Path(path)
    if path.suffix == safe_tensors.SUFFIX:
        return _read_safetensors(path, map_location)
    check_file(path)
    try:
        with _trusted(safe_pickle.stand_ins()):
            loaded = torch.load(path, map_location=map_location, weights_only=True)
        loaded = unpickled.plain(loaded)
    except unpickled.NotPlain as error:
        raise CheckpointError(
            f'The checkpoint {path} is refused: {error}.', culprit=str(path),
            expected='tensors, numbers, text, and dicts and lists of them',
            fix='if it is yours, save its state_dict anew, as dense tensors') from error
    except pickle.UnpicklingError as error:
        raise _refused(path, error) from error
    except Exception as error:  # a damaged file may raise anything below the unpickler
        raise _damaged(path, f'{type(error).__name__}: {str(error).splitlines()[0][:200]}'
                       if str(error) else type(error).__name__) from error
    if not isinstance(loaded, dict) or not loaded:
        raise CheckpointError(f'{path} is not a checkpoint.', culprit=str(path),
                              got=f'a {type(loaded).__name__}',
                              expected='a dict with "state_dict", or a state dict')
    return unpickled.sound_meta(loaded)


def _read_safetensors(path: Path, map_location) -> dict:
    try:
        return unpickled.sound_meta(safe_tensors.read(path, map_location))
    except Exception as error:  # a damaged file may raise anything
        raise _damaged(path, str(error) or type(error).__name__) from error


@contextlib.contextmanager
def _trusted(functions: list):
    """torch.serialization.safe_globals, which torch 2.4 does not have yet."""
    before = torch.serialization.get_safe_globals()
    # A program's own entries under these names would win over the guarded ones.
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(functions)
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def check_file(path: Path) -> None:
    """Raise a CheckpointError where the file is not as it was written; torch.load may not."""
    try:
        archive.check(path)
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error
    except archive.DamagedFile as error:
        raise _damaged(path, str(error)) from error


class DamagedCheckpoint(CheckpointError):
    """The file is not as it was written."""


def _damaged(path: Path, reason: str) -> DamagedCheckpoint:
    return DamagedCheckpoint(f'The checkpoint {path} is damaged or not a checkpoint ({reason}).',
                             culprit=str(path), fix='use an older one, or download it again')


def _refused(path: Path, error: Exception) -> CheckpointError:
    text = str(error)
    named = re.search(r'(?:GLOBAL|global:?)\s+(?!GLOBAL)([\w.]+)', text)
    if named is None and 'not data' not in text and 'allow' not in text.lower():
        return _damaged(path, text.splitlines()[0][:200] if text else 'it cannot be unpickled')
    said = next((line for line in text.splitlines() if 'not data' in line), text.splitlines()[-1])
    what = f'it would call {named[1]}' if named else said.rpartition('error: ')[2].strip()[:200]
    return CheckpointError(
        f'The checkpoint {path} is refused: it holds more than data ({what}).',
        culprit=str(path), fix='if it is yours, load it where it was made and save only its '
        'state_dict; if it is not, do not load it anywhere')


def restore_types(current: dict, loaded: dict) -> dict:
    """``loaded`` with Counters where ``current`` has them (milestones of a scheduler)."""
    return {k: Counter(v) if isinstance(current.get(k), Counter) else v
            for k, v in loaded.items()}
