"""What differs in two configs, key by key; items of lists are paired by their type.

So a transform that was put into a pipeline is one line, and not every transform after it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from ..compat.config_text import leaves
from .results import Shown
from .showing import ShownConfig, aligned, same, show_config, shown


@dataclass(frozen=True)
class Difference:
    """One value that differs.

    Attributes:
        key: Dotted, in the config that has it; of both, in the old one.
        kind: 'changed', 'removed' or 'added'.
        old, new: The values; None where there is none.
        old_origin, new_origin: Where each was written, or ''.
        also: Other keys with the same difference, from the same places: variables of the config.
    """

    key: str
    kind: str
    old: object
    new: object
    old_origin: str = ''
    new_origin: str = ''
    also: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, str]:
        """(what differs, where it comes from)."""
        if self.kind == 'removed':
            return f'- {self.key} = {shown(self.old)}', self.old_origin
        if self.kind == 'added':
            return f'+ {self.key} = {shown(self.new)}', self.new_origin
        left = f'~ {self.key} = {shown(self.old)} -> {shown(self.new)}'
        return left, f'{self.old_origin or "?"} -> {self.new_origin or "?"}'


@dataclass(frozen=True)
class ConfigDiff(Shown):
    """The differences from config ``old`` to ``new``."""

    old: ShownConfig
    new: ShownConfig
    differences: list[Difference]

    def text(self, origins: bool = True) -> str:
        """A line per difference: ~ changed, - only in the old one, + only in the new one."""
        rows = []
        for one in self.differences:
            left, right = one.row()
            also = f'; also {", ".join(one.also)}' if one.also else ''
            rows.append((left, f'{right}{also}' if origins else ''))
        counts = [f'{sum(one.kind == kind for one in self.differences)} {kind}'
                  for kind in ('changed', 'removed', 'added')]
        folders = ['' if not one.folder or not origins else f'; files below {one.folder}'
                   for one in (self.old, self.new)]
        return '\n'.join([f'# old: {self.old.name}{folders[0]}',
                          f'# new: {self.new.name}{folders[1]}', *aligned(rows),
                          f'# {", ".join(counts)}' if rows else '# nothing differs'])

    def __str__(self) -> str:
        return self.text()


def diff_configs(old: str | os.PathLike, new: str | os.PathLike, *, options: dict | None = None,
                 data_root: str | None = None, packed: str | None = None,
                 keys: Sequence[str] = ()) -> ConfigDiff:
    """What differs from config ``old`` to config ``new``.

    Args:
        old, new: As in `show_config`.
        options, data_root, packed: For ``old``, as in `load_config`.
        keys: Dotted keys to compare alone, with what is below them.

    Raises:
        ConfigError, CheckpointError: One cannot be read.
    """
    first = show_config(old, options=options, data_root=data_root, packed=packed)
    second = show_config(new)
    origins = [{e.path: e.origin for e in one.entries} for one in (first, second)]
    found: dict[tuple, Difference] = {}
    for a, b, left, right in _walk(first.cfg.to_dict(), second.cfg.to_dict(), (), ()):
        if left is None and right is None:
            continue
        key = '.'.join(map(str, a if left else b))
        if keys and not any(f'{key}.'.startswith(f'{wanted}.') for wanted in keys):
            continue
        kind = 'added' if left is None else 'removed' if right is None else 'changed'
        one = Difference(key, kind, left and left[0], right and right[0],
                         _origin(origins[0], a) if left else '',
                         _origin(origins[1], b) if right else '')
        place = (kind, shown(one.old), shown(one.new), one.old_origin, one.new_origin)
        if place in found and (one.old_origin or one.new_origin):
            found[place].also.append(key)
        else:
            found[(*place, key) if place in found else place] = one
    return ConfigDiff(first, second, list(found.values()))


def differences(old: Mapping, new: Mapping) -> list[Difference]:
    """What differs in two configs that are no files: dicts of plain values."""
    found = []
    for a, b, left, right in _walk(old, new, (), ()):
        if left is not None or right is not None:
            kind = 'added' if left is None else 'removed' if right is None else 'changed'
            found.append(Difference('.'.join(map(str, a if left else b)), kind,
                                    left and left[0], right and right[0]))
    return found


def _origin(origins: Mapping[tuple, str], path: tuple) -> str:
    """Of a value, or of the first one that stands in a dict."""
    return origins.get(path) or next(
        (origin for known, origin in origins.items() if known[:len(path)] == path), '')


def _walk(old, new, a: tuple, b: tuple) -> Iterator[tuple]:
    """(path in the old one, in the new one, (old value,) or None, (new value,) or None)."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old and new:
        for key in dict.fromkeys([*old, *new]):
            if callable(old.get(key)) and key == 'read_base':
                continue
            if key in old and key in new:
                yield from _walk(old[key], new[key], (*a, key), (*b, key))
            elif key in old:
                yield from ((path, b, (value,), None)
                            for path, value in leaves(old[key], (*a, key)))
            else:
                yield from ((a, path, None, (value,))
                            for path, value in leaves(new[key], (*b, key)))
    elif _has_dicts(old) and _has_dicts(new):
        yield from _walk_lists(old, new, a, b)
    elif not same(old, new):
        yield a, b, (old,), (new,)


def _has_dicts(node) -> bool:
    return isinstance(node, list | tuple) and any(isinstance(v, Mapping | list) for v in node)


def _walk_lists(old: Sequence, new: Sequence, a: tuple, b: tuple) -> Iterator[tuple]:
    """Items of one type, in the same order, are one item that may have changed."""
    kinds = [[_kind(item) for item in items] for items in (old, new)]
    matcher = SequenceMatcher(None, *kinds, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == 'equal':
            for step in range(i_end - i):
                yield from _walk(old[i + step], new[j + step], (*a, i + step), (*b, j + step))
            continue
        yield from (((*a, k), b, (old[k],), None) for k in range(i, i_end))
        yield from ((a, (*b, k), None, (new[k],)) for k in range(j, j_end))


def _kind(item) -> str:
    """What an item is told by: its type; a list by those of its items."""
    if isinstance(item, Mapping):
        return str(item.get('type'))
    return 'list' if isinstance(item, list | tuple) else shown(item)
