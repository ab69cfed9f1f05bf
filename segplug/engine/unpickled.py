"""What a weights-only pickle gave, as data that nothing fails on later.

Such a pickle runs no code. But its dicts may hold themselves, its state dict hide ``items`` behind
an attribute, its tensors have no memory at all or claim a terabyte over four bytes. Here everything
is copied into fresh containers and bare tensors; what no model takes is refused by its place.
"""

import pickle
from collections import Counter, OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from . import safe_pickle

_VALUES = (type(None), bool, int, float, complex, str, bytes, bytearray, torch.dtype, torch.device)
_MOST_LEVELS = 100  # of dicts in dicts
_MOST_VALUES = 10_000_000  # with those that are meant several times counted so often
_REPEATED = 1 << 26  # bytes that a tensor may claim beyond four times its memory


class NotPlain(pickle.UnpicklingError):
    """Where something stands that is no plain data, and what it is."""

    def __init__(self, place: tuple, what: str) -> None:
        first, *others = place or ('it',)
        super().__init__(f'{first}{"".join(f"[{key!r}]" for key in others)} is {what}'[:300])


def plain(value):
    """A copy: plain data, dense tensors without attributes, arrays of numpy.

    An object that stands at several places does so in the copy.

    Raises:
        NotPlain: For anything else.
    """
    return _Copy().of(value, ())[0]


class _Copy:
    """One copy, which knows what it has copied."""

    def __init__(self) -> None:
        self._done: dict[int, tuple] = {}  # id -> (original, which so stays; copy; its size)

    def of(self, value, place: tuple) -> tuple[object, int]:
        """The copy, and the number of values in it."""
        if type(value) in _VALUES:
            return value, 1
        if id(value) in self._done:
            _, copy, size = self._done[id(value)]
            return copy, size
        if len(place) > _MOST_LEVELS:
            raise NotPlain(place[:1], f'nested more than {_MOST_LEVELS} times, or holds itself')
        copy, size = self._new(value, place)
        if size > _MOST_VALUES:
            raise NotPlain(place, f'more than {_MOST_VALUES} values')
        self._done[id(value)] = value, copy, size
        return copy, size

    def _new(self, value, place: tuple) -> tuple[object, int]:
        if isinstance(value, Tensor):
            return _bare(value, place), 1
        if type(value) in (dict, OrderedDict, Counter):
            return self._dict(value, place)
        if type(value) in (list, tuple, torch.Size, set):
            found = [self.of(item, (*place, i)) for i, item in enumerate(value)]
            kind = tuple if type(value) is torch.Size else type(value)
            return kind(item for item, _ in found), 1 + sum(size for _, size in found)
        if isinstance(value, safe_pickle.HistoryBuffer):
            return _history(value, self.of(getattr(value, 'state', {}), place)[0], place), 1
        if isinstance(value, safe_pickle.Namespace):
            state = getattr(value, 'state', {})
            return self.of(state if isinstance(state, dict) else {}, place)
        if isinstance(value, safe_pickle.STAND_INS):
            return _unwrapped(value, place), 1
        raise NotPlain(place, f'{value!r:.100}, which is more than data')

    def _dict(self, value: Mapping, place: tuple) -> tuple[Mapping, int]:
        copy, total = type(value)(), 1
        # As an attribute of the dict may be called 'items'.
        for key, item in type(value).items(value):
            if not isinstance(key, (*_VALUES, tuple)):
                raise NotPlain(place, f'a dict with the key {key!r:.100}')
            if isinstance(item, safe_pickle.Method):
                continue
            copy[key], size = self.of(item, (*place, key))
            total += size
        versions = getattr(value, '__dict__', {}).get('_metadata')  # of a module's state_dict
        if versions is not None and type(value) is OrderedDict:
            copy._metadata = _versions(self.of(versions, (*place, '_metadata'))[0])
        return copy, total


def _versions(metadata) -> dict[str, dict]:
    """What modules say of the format of their state; nothing that is not of that form."""
    if not isinstance(metadata, Mapping):
        return {}
    # That key is how torch itself asks for weights to be taken over instead of copied.
    return {key: {k: v for k, v in said.items() if k != 'assign_to_params_buffers'}
            for key, said in metadata.items()
            if isinstance(said, Mapping) and type(said.get('version')) in (int, type(None))}


def _bare(value: Tensor, place: tuple) -> Tensor:
    """The values of a dense tensor, without class, gradient, hooks or attributes."""
    if type(value) not in (Tensor, nn.Parameter):
        raise NotPlain(place, f'a tensor of the class {type(value).__name__}')
    value = Tensor.detach(value)
    kinds = dict(nested=value.is_nested, quantized=value.is_quantized, empty=value.is_meta,
                 sparse=value.layout is not torch.strided)
    for kind, is_so in kinds.items():
        if is_so:
            raise NotPlain(place, f'a tensor that is {kind}, where dense ones are read')
    claimed, held = value.numel() * value.element_size(), value.untyped_storage().nbytes()
    if claimed > 4 * held + _REPEATED:
        raise NotPlain(place, f'a tensor of {claimed} bytes, of which the file holds {held}')
    return value


def _history(value: safe_pickle.HistoryBuffer, state, place: tuple) -> dict:
    try:
        return value.plain(state)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise NotPlain(place, f'a log of another form ({error})') from error


def _unwrapped(value, place: tuple):
    try:
        return safe_pickle.unwrapped(value)
    except AttributeError:
        raise NotPlain(place, 'an array that was not finished') from None


# --- what a checkpoint says of itself --------------------------------------------------------

def sound_meta(checkpoint: dict) -> dict:
    """``checkpoint`` with a ``meta`` of the forms that are read.

    Classes that are no names, a palette that is no colours, a config that is no text ... are left
    out: weights can be of use without them, and what needs them says that they are missing.
    """
    meta = checkpoint.get('meta')
    if meta is None or isinstance(meta, Tensor):  # of a state dict, a layer's
        return checkpoint
    meta = _sound(meta) if isinstance(meta, Mapping) else {}
    if 'dataset_meta' in meta:
        meta['dataset_meta'] = _sound(meta['dataset_meta']) \
            if isinstance(meta['dataset_meta'], Mapping) else {}
    return {**checkpoint, 'meta': meta}


def _sound(meta: Mapping) -> dict:
    meta = {key: value.tolist() if isinstance(value, Tensor | np.ndarray) else value
            for key, value in meta.items()}
    return {key: value for key, value in meta.items()
            if value is None or _FORMS.get(str(key).lower(), lambda value: True)(value)}


def _are_names(value) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _are_colours(value) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(row, list | tuple) and len(row) == 3
        and all(isinstance(part, int) and 0 <= part <= 255 for part in row) for row in value)


_FORMS = dict(classes=_are_names, palette=_are_colours, cfg=lambda value: isinstance(value, str),
              versions=lambda value: isinstance(value, Mapping))
