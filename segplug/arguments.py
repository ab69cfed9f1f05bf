"""What a constructor takes, and whether a config's values can be meant for it.

A config holds plain values only: strings, numbers, lists, dicts. One of them that no member of an
annotation takes, such as '18' for an int, is a slip. Everything else passes: whole floats for
ints, lists for tuples, objects that are made already, and annotations that name classes.
"""

import collections.abc as abc
import inspect
import os
import re
import sys
import types
import typing
from collections.abc import Mapping
from inspect import Parameter
from numbers import Integral, Real

_OPEN = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
# Bases that hand ``**kwargs`` up to a class that names them all; by name, because importing
# mmengine's schedulers is slow.
_HANDED_UP = {'_ParamScheduler', 'BaseInit', 'Visualizer'}
# Whose annotations say what is taken; other packages' may be narrower than their code.
_EXACT = {'segplug', 'mmengine', 'mmcv', 'torch'}
_ARRAYS = {'Tensor', 'ndarray'}
_LONGEST_DEFAULT = 24


def parameters(cls: typing.Callable) -> dict[str, Parameter] | None:
    """The arguments of a class or function by name; None where any name is taken."""
    try:
        found = dict(inspect.signature(cls).parameters)
    except (TypeError, ValueError):  # builtins without a signature
        return None
    if _HANDED_UP & {base.__name__ for base in getattr(cls, '__mro__', ())}:
        found = handed_up(cls)
    if any(p.kind is Parameter.VAR_KEYWORD for p in found.values()):
        return None
    return {name: p for name, p in found.items() if p.kind is not Parameter.VAR_POSITIONAL}


def handed_up(cls: type) -> dict[str, Parameter]:
    """The arguments of a class by name, with those of its bases that ``**kwargs`` stands for."""
    found = {}
    for base in cls.__mro__:
        own = dict(inspect.signature(base.__init__).parameters)
        found = {**own, **found}
        if all(p.kind is not Parameter.VAR_KEYWORD for p in own.values()):
            break
    return {name: p for name, p in found.items()
            if name not in ('self', 'param_name') and p.kind not in _OPEN}


def written(cls: typing.Callable, taken: dict[str, Parameter]) -> str:
    """``Thing(width, depth=3)``, for messages."""
    return f'{cls.__name__}({", ".join(map(_one, taken.values()))})'


def _one(parameter: Parameter) -> str:
    if parameter.default is Parameter.empty:
        return parameter.name
    default = repr(parameter.default)
    return f'{parameter.name}={default if len(default) <= _LONGEST_DEFAULT else "..."}'


def wrong_value(cls: typing.Callable, parameter: Parameter, value) -> str | None:
    """What ``parameter`` takes, for messages, if ``value`` cannot be meant for it; else None."""
    annotation = parameter.annotation
    module = getattr(cls, '__module__', None) or ''
    if module.split('.')[0] not in _EXACT:
        return None
    if annotation is Parameter.empty:
        return _wrong_number(parameter.default, value)
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, dict(vars(sys.modules[module])))  # noqa: S307  a source's
        except (NameError, TypeError, AttributeError):  # imported for type checkers only
            return None
    return None if fits(value, annotation) else as_text(annotation)


def _wrong_number(default, value) -> str | None:
    """Where no annotation is, but a number by default, '10' is one in quotes."""
    if type(default) not in (int, float) or not isinstance(value, str):
        return None
    try:
        float(value)
    except ValueError:
        return None
    return type(default).__name__


def as_text(annotation) -> str:
    """An annotation as one writes it, without the modules of its names."""
    return re.sub(r'\b([A-Za-z_]\w*\.)+(?=\w)', '', inspect.formatannotation(annotation))


def fits(value, annotation) -> bool:
    """Whether a config's ``value`` can be meant where ``annotation`` stands.

    >>> fits('18', int), fits([1, 2], tuple[int, int]), fits(3, float), fits(['a'], list[int])
    (False, True, True, False)
    """
    if value is None or not isinstance(value, (str, int, float, list, tuple, dict)):
        return True
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        if any(_is_kind(member, Mapping) for member in members):
            # A made object or its dict: what is no dict has to be one of the plain members.
            members = [member for member in members if not _is_made(member)]
        return any(fits(value, member) for member in members)
    if origin is typing.Literal:
        return value in members
    return _fits_class(value, origin or annotation, members)


def _is_kind(annotation, base: type) -> bool:
    cls = typing.get_origin(annotation) or annotation
    return isinstance(cls, type) and issubclass(cls, base)


def _is_made(annotation) -> bool:
    """Whether an annotation is a class whose instances no config can write down."""
    plain = (*_SCALARS, *_SEQUENCES, type, object)
    cls = typing.get_origin(annotation) or annotation
    return (isinstance(cls, type) and cls not in plain and cls.__module__ != 'collections.abc'
            and not issubclass(cls, Mapping))


def _fits_class(value, cls, members: tuple) -> bool:
    if not isinstance(cls, type):
        return True
    if cls in _SCALARS:
        return _SCALARS[cls](value)
    if cls.__name__ in _ARRAYS:
        return not isinstance(value, (str, dict))
    if issubclass(cls, Mapping):
        return isinstance(value, dict)
    if cls in _SEQUENCES:
        return _fits_sequence(value, cls, members)
    return True


def _whole(value) -> bool:
    return isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())


_SCALARS = {
    bool: lambda value: isinstance(value, Integral),
    int: _whole,
    float: lambda value: isinstance(value, Real),
    str: lambda value: isinstance(value, str),
    os.PathLike: lambda value: isinstance(value, str),
    type(None): lambda value: False,
}
_SEQUENCES = {list, tuple, set, abc.Sequence, abc.Iterable, abc.Collection}


def _fits_sequence(value, cls: type, members: tuple) -> bool:
    members = [member for member in members if member is not ...]
    if isinstance(value, str):
        return cls not in (list, tuple, set) and (not members or fits(value, members[0]))
    if not isinstance(value, (list, tuple)):
        return False
    return not members or all(any(fits(item, member) for member in members) for item in value)
