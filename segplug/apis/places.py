"""Where in a config's files a key of the resolved config was written.

A resolved config has forgotten its files. So a component is found in it by what it holds, which
gives its path, such as model, decode_head, num_classes; and the path is followed through the
syntax of the files: assignments, ``dict(...)``, lists, variables, ``_base_.x``, then the bases.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config


def shipped_configs() -> Path:
    """The folder of the configs that come with segplug: the checkout's, else the wheel's."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / 'configs'
    return checkout if (checkout / '_base_').is_dir() else package / 'configs'


def base_path(base: str, filename: str | os.PathLike) -> str:
    """The file that an entry of ``_base_`` means; ``segplug::unet/x.py`` is a shipped config."""
    if base.startswith('segplug::'):
        return str(shipped_configs() / base.removeprefix('segplug::'))
    return os.path.join(os.path.dirname(filename), base)


def config_files(path: str | os.PathLike) -> list[Path]:
    """The config and all its bases, the nearest first."""
    path, files = Path(path), []
    if not path.is_file():
        return files
    files.append(path)
    for base in Config._get_base_files(str(path)):
        files += config_files(base_path(base, path))
    return files


# --- a component's path in the resolved config -------------------------------------------------

def path_of(component: Mapping, config: Mapping, culprit: str | None) -> tuple | None:
    """The path of ``culprit``, a key or value of ``component``, in ``config``; None elsewhere.

    Without a culprit it is the path of the component's type, or of the component.

    Of all dicts of the same type and with the same culprit, the one that shares most with
    ``component`` is meant: parents add keys to what they build, and take some out.
    """
    of_value = [key for key, value in component.items() if str(value) == culprit]
    key = culprit if culprit in component else of_value[0] if of_value else None
    if key is None and culprit is not None:
        return None
    found, best = None, 0
    for path, node in _dicts(config):
        if key not in (None, 'type') and key not in node:
            continue
        if component.get('type') != node.get('type') and 'type' in node:
            continue
        shared = sum(key in node and _equal(node[key], value) for key, value in component.items())
        if shared > best:
            found, best = path, shared
    if found is None:
        return None
    if key is None and 'type' in component:
        key = 'type'
    return found if key is None else (*found, key)


def _dicts(node, path: tuple = ()) -> Iterator[tuple[tuple, Mapping]]:
    if isinstance(node, Mapping):
        yield path, node
    items = node.items() if isinstance(node, Mapping) else \
        enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        yield from _dicts(value, (*path, key))


def _equal(a, b) -> bool:
    try:
        return bool(a == b)
    except (TypeError, ValueError):  # arrays
        return False


# --- a path's place in the files ---------------------------------------------------------------

def written_at(path: tuple, file: Path) -> str | None:
    """'file:line' of the key that ``path`` ends in: in ``file``, else in its bases."""
    if file.suffix != '.py' or not path:
        return None
    line = _Syntax(file).line(path)
    if isinstance(line, tuple):  # a variable of the bases
        path = line
    elif line is not None:
        return f'{file}:{line}'
    for base in Config._get_base_files(str(file)):
        place = written_at(path, Path(base_path(base, file)))
        if place is not None:
            return place
    return None


class _Syntax:
    """The assignments of one file."""

    def __init__(self, file: Path) -> None:
        self.assigned: dict[str, ast.Assign] = {}
        self.parts: list[tuple[tuple, ast.Assign]] = []  # of ``model.backbone.depth = 18``
        for statement in ast.parse(file.read_text(encoding='utf-8')).body:
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        self.assigned[target.id] = statement
                    elif path := _part(target):
                        self.parts.append((path, statement))

    def line(self, path: tuple) -> int | tuple | None:
        """Where the last key of ``path`` is written; a path, if that is one of the bases."""
        for part, statement in reversed(self.parts):
            if part == path[:len(part)]:
                found = self._follow(statement.value, path[len(part):], statement.lineno)
                if found is not None:
                    return found
        statement = self.assigned.get(path[0])
        if statement is None:
            return None
        return self._follow(statement.value, path[1:], statement.lineno)

    def _follow(self, node: ast.AST, rest: tuple, line: int) -> int | tuple | None:
        if not rest:
            return line
        base = _base_variable(node)
        if base is not None:
            return (*base, *rest)
        if isinstance(node, ast.Name):
            statement = self.assigned.get(node.id)
            return self._follow(statement.value, rest, line) if statement else None
        for value, remaining, its_line in self._inside(node, rest):
            found = self._follow(value, remaining, its_line)
            if found is not None:
                return found
        return None

    def _inside(self, node: ast.AST, rest: tuple) -> Iterator[tuple[ast.AST, tuple, int]]:
        """(value, what is left of the path, line) of each place where ``rest[0]`` may stand."""
        if isinstance(node, ast.Call):
            for keyword in reversed(node.keywords):
                if keyword.arg == rest[0]:
                    yield keyword.value, rest[1:], keyword.lineno
                elif keyword.arg is None:
                    yield keyword.value, rest, keyword.lineno
            for value in node.args:
                yield value, rest, value.lineno
        elif isinstance(node, ast.Dict):
            for key, value in reversed(list(zip(node.keys, node.values, strict=True))):
                if key is None:
                    yield value, rest, value.lineno
                elif isinstance(key, ast.Constant) and key.value == rest[0]:
                    yield value, rest[1:], key.lineno
        elif isinstance(rest[0], int):
            items = self._items(node)
            if items is not None and rest[0] < len(items):
                yield items[rest[0]], rest[1:], items[rest[0]].lineno

    def _items(self, node: ast.AST) -> list[ast.AST] | None:
        """The items of a list, of a sum of lists and of starred ones; None if not known."""
        if isinstance(node, ast.Name):
            statement = self.assigned.get(node.id)
            return self._items(statement.value) if statement else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [self._items(node.left), self._items(node.right)]
        elif isinstance(node, (ast.List, ast.Tuple)):
            parts = [self._items(item.value) if isinstance(item, ast.Starred) else [item]
                     for item in node.elts]
        else:
            return None
        return None if None in parts else [item for part in parts for item in part]


def _base_variable(node: ast.AST) -> tuple | None:
    """``_base_.a.b``, also in two pairs of braces, as ('a', 'b')."""
    while isinstance(node, ast.Set) and len(node.elts) == 1:
        node = node.elts[0]
    path = _part(node)
    return path if path and _root(node).id == '_base_' else None


def _root(node: ast.AST) -> ast.AST:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node


def _part(node: ast.AST) -> tuple | None:
    """``_base_.a['b'][0]``, or ``a.b[0]`` of a name, as ('a', 'b', 0)."""
    names = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        elif isinstance(node.slice, ast.Constant):
            names.append(node.slice.value)
        else:
            return None
        node = node.value
    if not isinstance(node, ast.Name) or not names:
        return None
    return tuple(reversed(names if node.id == '_base_' else [*names, node.id]))
