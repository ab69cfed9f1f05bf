"""A config as Python that reads back as the same config: each top-level name an assignment; and its
values one by one."""

import keyword
import math
from collections.abc import Iterator, Mapping


def config_text(cfg: Mapping) -> str:
    """Unformatted text of a resolved config; keys stand in order, as mmengine has them.

    Values that are no plain data come as text: a class as its import path, anything else by
    ``str``.
    """
    return '\n'.join(f'{key} = {value_text(value)}' for key, value in _sorted(cfg))


def _sorted(node: Mapping) -> list[tuple]:
    return sorted(node.items(), key=lambda item: str(item[0]))


def value_text(value) -> str:
    """A value as Python text."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if type(value) is list:
        return f'[{", ".join(map(value_text, value))}]'
    if type(value) is tuple:
        return f'({"".join(f"{value_text(item)}, " for item in value)})'
    if isinstance(value, str):
        return repr(str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{float(value)}')"
    if value is None or type(value) in (bool, int, float, complex, bytes):
        return repr(value)
    if hasattr(value, 'tolist'):  # arrays and their items
        return value_text(value.tolist())
    if callable(value) and hasattr(value, '__qualname__'):
        return repr(f'{value.__module__}.{value.__qualname__}')
    return repr(str(value))


def _mapping(node: Mapping) -> str:
    names = all(isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key)
                for key in node)
    if names:
        return f'dict({", ".join(f"{key}={value_text(value)}" for key, value in _sorted(node))})'
    items = [f'{value_text(key)}: {value_text(value)}' for key, value in _sorted(node)]
    return f'{{{", ".join(items)}}}'


def leaves(node, path: tuple = ()) -> Iterator[tuple[tuple, object]]:
    """Each (path, value) of a config: dicts and lists of dicts are walked into."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            if not (callable(value) and key == 'read_base'):  # what new-style configs import
                yield from leaves(value, (*path, key))
    elif isinstance(node, list | tuple) and any(isinstance(v, Mapping | list) for v in node):
        for number, value in enumerate(node):
            yield from leaves(value, (*path, number))
    else:
        yield path, node
