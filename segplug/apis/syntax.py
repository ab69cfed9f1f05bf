"""Where one Python config writes a key: its statements, followed backwards without running them.

Followed are assignments, ``dict(...)`` and ``{...}``, lists and their sums, comprehensions,
variables, parts (``model['backbone'].depth = 18``), and what changes a dict or list in place
(``update``, ``append`` ...). What only running the file would tell is not guessed.
"""

import ast
import copy
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_MOST_STEPS = 200  # variables behind variables; a file that runs needs far fewer


@dataclass(frozen=True)
class Write:
    """A statement that sets ``path``, or changes what stands there.

    Attributes:
        path: ('model', 'backbone'): names, keys, and numbers of list items.
        value: What it sets.
        line: Its line.
        adds: Whether what stood there before stays, as ``update`` leaves it.
    """

    path: tuple
    value: ast.AST
    line: int
    adds: bool = False


class Found(NamedTuple):
    """Where a key is written: its line, the syntax of its value, and how many of the file's
    statements come before."""

    line: int
    value: ast.AST
    before: int


def parsed(file: Path) -> 'Syntax':
    """The statements of a file; read once, until it changes."""
    return _parsed(str(file), file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _parsed(file: str, changed: int) -> 'Syntax':
    return Syntax(Path(file).read_text(encoding='utf-8'))


class Syntax:
    """The statements of one file.

    Args:
        source: Its text.

    Attributes:
        imports: (module with its dots, name or '*', name here) of each ``with read_base():``.
    """

    def __init__(self, source: str) -> None:
        self.imports: list[tuple[str, str, str]] = []
        self._writes: list[Write] = []
        self._steps, self._length_of = 0, None
        for statement in _flat(ast.parse(source).body):
            if isinstance(statement, ast.ImportFrom):
                module = '.' * statement.level + (statement.module or '')
                self.imports += [(module, alias.name, alias.asname or alias.name)
                                 for alias in statement.names]
            else:
                self._writes += self._of(statement)

    def find(self, path: tuple, before: int | None = None,
             length_of: Callable[[tuple], int | None] | None = None) -> Found | tuple | None:
        """Where the last key of ``path`` is written, by the first ``before`` statements.

        A tuple of names, the path to look for in the bases, where a variable of theirs stands
        there; None where the file does not write it.

        Args:
            path: Names, keys, and numbers of list items.
            before: Number of statements; None for all.
            length_of: How many items a list of the bases has.
        """
        self._steps, self._length_of = 0, length_of
        return self._find(path, len(self._writes) if before is None else before)

    def _find(self, path: tuple, before: int) -> Found | tuple | None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return None
        for number in reversed(range(before)):
            write = self._writes[number]
            if write.path != path[:len(write.path)]:
                continue
            rest = path[len(write.path):]
            found = self._follow(write.value, rest, write.line, number) \
                if rest or not write.adds else None
            if found is not None:
                return found
            if len(write.path) == 1 and not write.adds:
                return None
        return None

    # --- statements ------------------------------------------------------------------------

    def _of(self, statement: ast.stmt) -> Iterator[Write]:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield from self._assigned(target, statement.value, statement.lineno)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield from self._assigned(statement.target, statement.value, statement.lineno)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.BitOr):
            together = ast.BinOp(_loaded(statement.target), statement.op, statement.value)
            yield from self._assigned(statement.target, together, statement.lineno)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield from self._called(statement.value)

    @staticmethod
    def _assigned(target: ast.AST, value: ast.AST, line: int) -> Iterator[Write]:
        if isinstance(target, ast.Name):
            yield Write((target.id,), value, line)
        elif isinstance(target, ast.Tuple | ast.List):
            yield from _unpacked(target.elts, value, line)
        elif path := part(target):
            yield Write(path, value, line)

    def _called(self, call: ast.Call) -> Iterator[Write]:
        """``x.update(...)``, ``x.append(...)`` and the like."""
        if not isinstance(call.func, ast.Attribute):
            return
        whole, method = call.func.value, call.func.attr
        path = (whole.id,) if isinstance(whole, ast.Name) else part(whole)
        if not path:
            return
        if method in ('update', 'merge'):
            yield Write(path, ast.Call(call.func, call.args, call.keywords), call.lineno, adds=True)
        elif method in ('append', 'extend', 'insert') and call.args:
            together = _lengthened(whole, method, call.args)
            if together is not None:
                yield Write(path, together, call.lineno)

    # --- values ----------------------------------------------------------------------------

    def _follow(self, node: ast.AST, rest: tuple, line: int, before: int
                ) -> Found | tuple | None:
        """Where ``rest`` is written in the value ``node`` of the key at ``line``."""
        if not rest:
            return Found(line, node, before)
        base = base_variable(node)
        if base is not None:
            return (*base, *rest)
        path = (node.id,) if isinstance(node, ast.Name) else part(node)
        if path:
            known = any(write.path[0] == path[0] for write in self._writes[:before])
            return self._find((*path, *rest), before) if known else \
                (*path, *rest) if self.imports else None
        for value, remaining, its_line in self._inside(node, rest, before):
            found = self._follow(value, remaining, its_line, before)
            if found is not None:
                return found
        return None

    def _inside(self, node: ast.AST, rest: tuple, before: int
                ) -> Iterator[tuple[ast.AST, tuple, int]]:
        """(value, what is left of the path, line) of each place where ``rest[0]`` may stand."""
        line = getattr(node, 'lineno', 0)
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
                elif _may_be(key, rest[0]):
                    yield value, rest[1:], key.lineno
        elif isinstance(node, ast.DictComp) and _may_be(node.key, rest[0]):
            yield node.value, rest[1:], node.key.lineno
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            key = _constant(node.slice)
            if key is not None:
                yield node.value, (key, *rest), line
        elif isinstance(node, ast.ListComp) and isinstance(rest[0], int):
            yield _made_of_item(node, rest[0]), rest[1:], node.elt.lineno
        elif isinstance(node, ast.IfExp):
            yield from ((side, rest, side.lineno) for side in (node.body, node.orelse))
        elif isinstance(node, ast.BinOp) and not isinstance(rest[0], int):
            yield from ((side, rest, getattr(side, 'lineno', line))
                        for side in (node.right, node.left))
        elif isinstance(rest[0], int):
            items = self._items(node, before)
            if items is not None and -len(items) <= rest[0] < len(items):
                yield items[rest[0]], rest[1:], items[rest[0]].lineno

    def num_items(self, found: Found, length_of: Callable) -> int | None:
        """How many items the list has that ``found`` is; None if not known."""
        self._steps, self._length_of = 0, length_of
        items = self._items(found.value, found.before)
        return None if items is None else len(items)

    def _items(self, node: ast.AST, before: int) -> list[ast.AST] | None:
        """The items of a list, of a sum of lists, of a part of one; None if not known."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return None
        if isinstance(node, ast.Name):
            return self._items_of(node, before)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            items, bounds = self._items(node.value, before), _bounds(node.slice)
            return None if items is None or bounds is None else items[bounds]
        if isinstance(node, ast.ListComp):
            each = None if len(node.generators) > 1 or node.generators[0].ifs else \
                self._items(node.generators[0].iter, before)
            return None if each is None else [_made_of_item(node, i) for i in range(len(each))]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [self._items(node.left, before), self._items(node.right, before)]
        elif isinstance(node, ast.List | ast.Tuple):
            parts = [self._items(item.value, before) if isinstance(item, ast.Starred) else [item]
                     for item in node.elts]
        else:
            return self._items_of_base(node, base_variable(node))
        return None if None in parts else [item for part in parts for item in part]

    def _items_of(self, node: ast.Name, before: int) -> list[ast.AST] | None:
        for number in reversed(range(before)):
            write = self._writes[number]
            if write.path == (node.id,):
                return self._items(write.value, number)
        return self._items_of_base(node, (node.id,)) if self.imports else None

    def _items_of_base(self, node: ast.AST, path: tuple | None) -> list[ast.AST] | None:
        """Of a list of the bases: ``_base_.steps[0]`` and so on."""
        length = self._length_of(path) if path and self._length_of else None
        return None if length is None else [_item_of_base(node, path, i) for i in range(length)]


def _flat(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in order, those inside ``if``, ``for``, ``with`` and ``try`` too; imports only
    inside ``with read_base():``."""
    for statement in statements:
        is_read_base = isinstance(statement, ast.With) and any(
            isinstance(item.context_expr, ast.Call)
            and ast.unparse(item.context_expr.func).endswith('read_base')
            for item in statement.items)
        if is_read_base:
            yield from statement.body
        elif isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try):
            for field in ('body', 'handlers', 'orelse', 'finalbody'):
                inner = getattr(statement, field, [])
                yield from _flat([s for h in inner for s in h.body]
                                 if field == 'handlers' else inner)
        elif not isinstance(statement, ast.ImportFrom):
            yield statement


def _lengthened(whole: ast.AST, method: str, args: list[ast.AST]) -> ast.AST | None:
    """The list that ``append``, ``extend`` or ``insert`` makes, as a sum of lists."""
    before = _loaded(whole)
    if method == 'append':
        return ast.BinOp(before, ast.Add(), ast.List(args[:1]))
    if method == 'extend':
        return ast.BinOp(before, ast.Add(), args[0])
    if len(args) != 2:
        return None
    first = ast.Subscript(before, ast.Slice(upper=args[0]))
    last = ast.Subscript(before, ast.Slice(lower=args[0]))
    return ast.BinOp(ast.BinOp(first, ast.Add(), ast.List(args[1:])), ast.Add(), last)


def _item_of_base(node: ast.AST, path: tuple, number: int) -> ast.AST:
    item = ast.Name('_base_')
    for key in path:
        item = ast.Subscript(item, ast.Constant(key))
    return ast.copy_location(ast.Subscript(item, ast.Constant(number)), node)


def _unpacked(targets: list[ast.AST], value: ast.AST, line: int) -> Iterator[Write]:
    """``*steps, last = value``: parts of the value."""
    star = next((i for i, one in enumerate(targets) if isinstance(one, ast.Starred)), len(targets))
    for i, one in enumerate(targets):
        after = i - len(targets)
        name = one.value if i == star else one
        if not isinstance(name, ast.Name):
            continue
        if i == star:
            bounds = [ast.Constant(i), ast.Constant(after + 1) if after < -1 else None]
            place = ast.Slice(*bounds)
        else:
            place = ast.Constant(i if i < star else after)
        yield Write((name.id,), ast.copy_location(ast.Subscript(value, place), value), line)


class _Put(ast.NodeTransformer):
    """Puts an expression in the place of a name."""

    def __init__(self, name: str, value: ast.AST) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        return ast.copy_location(copy.copy(self.value), node) if node.id == self.name else node


def _made_of_item(node: ast.ListComp, number: int) -> ast.AST:
    """The ``number``-th item of ``[f(x) for x in xs]``, f(xs[number]); f(x) where that is not
    simply so."""
    first = node.generators[0]
    if len(node.generators) > 1 or first.ifs or not isinstance(first.target, ast.Name):
        return node.elt
    item = ast.copy_location(ast.Subscript(first.iter, ast.Constant(number)), first.iter)
    return _Put(first.target.id, item).visit(copy.deepcopy(node.elt))


def _loaded(target: ast.AST) -> ast.AST:
    return ast.parse(ast.unparse(target), mode='eval').body


def _bounds(part_of: ast.Slice) -> slice | None:
    given = (part_of.lower, part_of.upper, part_of.step)
    bounds = [None if bound is None else _constant(bound) for bound in given]
    known = all(bound is None or value is not None
                for bound, value in zip(given, bounds, strict=True))
    return slice(*bounds) if known else None


def _may_be(node: ast.AST, key) -> bool:
    """Whether a dict's key is ``key``, or may be it, as ``f'stages.{i}'`` may be 'stages.3'."""
    if isinstance(node, ast.Constant):
        return node.value == key
    if not isinstance(node, ast.JoinedStr):
        return True
    pattern = ''.join(re.escape(str(value.value)) if isinstance(value, ast.Constant) else '.*'
                      for value in node.values)
    return re.fullmatch(pattern, str(key)) is not None


def _constant(node: ast.AST):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def base_variable(node: ast.AST) -> tuple | None:
    """``_base_.a.b``, also in two pairs of braces, as ('a', 'b')."""
    while isinstance(node, ast.Set) and len(node.elts) == 1:
        node = node.elts[0]
    path = part(node)
    return path if path and _root(node).id == '_base_' else None


def _root(node: ast.AST) -> ast.AST:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def part(node: ast.AST) -> tuple | None:
    """``_base_.a['b'][0]``, or ``a.b[0]`` of a name, as ('a', 'b', 0)."""
    names = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        elif (key := _constant(node.slice)) is not None:
            names.append(key)
        else:
            return None
        node = node.value
    if not isinstance(node, ast.Name) or not names:
        return None
    return tuple(reversed(names if node.id == '_base_' else [*names, node.id]))
