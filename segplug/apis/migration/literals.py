"""Dicts and lists as a config writes them: their entries, and how to write new ones."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .source import Source

WIDTH = 79
_END_OF_LINE = re.compile(r'[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)')


@dataclass(frozen=True)
class Entry:
    """``key=value`` or ``'key': value`` from ``start`` to ``end``; ``**value`` has no key."""

    key: str | None
    value: ast.expr
    start: int
    end: int
    value_start: int


def entries(source: Source, node: ast.AST | None) -> list[Entry] | None:
    """The entries of ``dict(...)`` or ``{...}``; None for all else."""
    if isinstance(node, ast.Dict):
        return [_of_pair(source, key, value)
                for key, value in zip(node.keys, node.values, strict=True)]
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if not is_call or node.func.id not in ('dict', 'ConfigDict') or node.args:
        return None
    found = []
    for keyword in node.keywords:
        start, end = source.span(keyword)
        sign = re.compile(r'\*\*|=').search(source.text, start)
        found.append(Entry(keyword.arg, keyword.value, start, end,
                           re.compile(r'\s*').match(source.text, sign.end()).end()))
    return found


def _of_pair(source: Source, key: ast.expr | None, value: ast.expr) -> Entry:
    start, end = source.span(value)
    if key is None:
        return Entry(None, value, source.text.rindex('**', 0, start), end, start)
    name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
    return Entry(name, value, source.span(key)[0], end, start)


def by_key(source: Source, node: ast.AST | None) -> dict[str, Entry]:
    """The entries by key; empty for what is no dict."""
    return {entry.key: entry for entry in entries(source, node) or () if entry.key}


def text_of(node: ast.AST | None) -> str | None:
    """The string that a node is."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def type_of(source: Source, node: ast.AST | None) -> str | None:
    """``type`` of a dict; a variable of the file is looked up."""
    entry = by_key(source, node).get('type')
    return text_of(followed(source, entry.value)) if entry else None


def followed(source: Source, node: ast.expr) -> ast.expr:
    """What a variable of the file is; other nodes as they are."""
    seen = set()
    while isinstance(node, ast.Name) and node.id not in seen:
        seen.add(node.id)
        statement = source.statements().get(node.id)
        if statement is None:
            break
        node = statement.value
    return node


def dicts(source: Source, node: ast.AST | None = None) -> Iterator[ast.expr]:
    """Every ``dict(...)`` and ``{...}`` below a node, the outer before the inner."""
    for found in ast.walk(node or source.tree):
        if entries(source, found) is not None:
            yield found


# --- taking items out ------------------------------------------------------------------------

def remove(source: Source, items: Sequence[tuple[int, int]], doomed: dict[int, str]) -> None:
    """Cut items out of a list or a dict, with their commas and, where they stand alone, lines.

    Args:
        items: The span of every item.
        doomed: Number of an item -> why it goes.
    """
    for run in _runs(sorted(doomed)):
        start, end = items[run[0]][0], items[run[-1]][1]
        last = run[-1] == len(items) - 1
        comma = re.compile(r'\s*,').match(source.text, end)
        before = items[run[0] - 1][1] if run[0] else None
        if last and before is not None and '#' not in source.text[before:start] and not (
                comma and _alone(source, start, comma.end())):
            start = before
        elif comma:
            start, end = _with_line(source, start, comma.end())
        for number in run:
            first = start if number == run[0] else items[number][0]
            upto = end if number == run[-1] else items[number + 1][0]
            source.edit(first, upto, '', doomed[number])


def _runs(numbers: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _alone(source: Source, start: int, end: int) -> bool:
    line_start = source.line_span(start, start + 1)[0]
    return not source.text[line_start:start].strip() and bool(
        _END_OF_LINE.match(source.text, end))


def _with_line(source: Source, start: int, end: int) -> tuple[int, int]:
    """The span with its whole lines where nothing else stands on them, else the blanks behind."""
    if _alone(source, start, end):
        return source.line_span(start, start + 1)[0], _END_OF_LINE.match(source.text, end).end()
    return start, re.compile(r'[ \t]*').match(source.text, end).end()


def remove_statement(source: Source, statement: ast.stmt, reason: str, *,
                     needed: bool = True) -> None:
    """Cut a top-level statement with its lines; beside another one it does nothing instead."""
    start, end = source.span(statement)
    lines = source.line_span(start, end)
    rest = source.text[lines[0]:start] + source.text[end:lines[1]].partition('#')[0]
    if rest.strip():
        source.edit(start, end, 'pass', reason, needed=needed)
    else:
        source.edit(*lines, '', reason, needed=needed)


# --- writing ---------------------------------------------------------------------------------

def written(pairs: Sequence[tuple[str, str]], indent: int = 0, used: int = 0) -> str:
    """``dict(a=1, b=2)`` of texts, in one line if it fits, else one line an entry.

    Args:
        indent: Blanks before the line that it begins on.
        used: Characters of that line that are taken.
    """
    line = f'dict({", ".join(f"{key}={text}" for key, text in pairs)})'
    if '\n' not in line and indent + used + len(line) <= WIDTH:
        return line
    pad = ' ' * (indent + 4)
    return 'dict(\n' + ',\n'.join(f'{pad}{key}={text}' for key, text in pairs) + ')'


def assigned(name: str, pairs: Sequence[tuple[str, str]]) -> str:
    """``name = dict(...)``."""
    return f'{name} = {written(pairs, used=len(name) + 3)}'
