"""The text of a config file, and edits of it by the positions of its syntax.

What is not edited stays as it is, to the byte: comments, quotes, blank lines and line ends. Each
edit carries its reasons, one at least.
"""

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ConfigError

_BOM = '\ufeff'
_LINE_END = re.compile(r'\r\n|\r|\n')


def split_lines(text: str) -> list[str]:
    """The lines of a text as Python counts them, without their ends."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines[-1] == '' else lines


@dataclass(frozen=True)
class Reason:
    """Why lines ``first`` to ``last`` of a file, counted from 1, were changed.

    Attributes:
        needed: Whether the config would not run here without the change.
        is_insertion: Whether lines were written before ``first``, and none replaced.
    """

    first: int
    last: int
    text: str
    needed: bool = True
    is_insertion: bool = False


@dataclass
class Edit:
    """``text`` instead of what stands from ``start`` to ``end``, in characters."""

    start: int
    end: int
    text: str
    reasons: list[Reason] = field(default_factory=list)


class Source:
    """One Python file: its text, its syntax, and the edits so far.

    Raises:
        ConfigError: The file is no Python, or no UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_bytes().decode('utf-8')
        except UnicodeDecodeError as error:
            raise ConfigError(f'{path} is no text in UTF-8: {error.reason} at byte {error.start}.',
                              fix='save it in UTF-8') from error
        self._bom = _BOM if text.startswith(_BOM) else ''
        self.text = text.removeprefix(_BOM)
        try:
            self.tree = ast.parse(self.text)
        except SyntaxError as error:
            raise ConfigError(f'{path}:{error.lineno} is no Python: {error.msg}.',
                              fix='mend this line') from error
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(self.text))]
        self.newline = next(iter(_LINE_END.findall(self.text)), '\n')
        self.edits: list[Edit] = []
        # (line, what a person has to do): what no rule covers.
        self.by_hand: list[tuple[int, str]] = []

    # --- positions -------------------------------------------------------------------------

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where ``node`` begins and ends, in characters of the text."""
        return (self._offset(node.lineno, node.col_offset),
                self._offset(node.end_lineno, node.end_col_offset))

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode())  # columns are bytes

    def line(self, offset: int) -> int:
        """The number of the line that holds a character."""
        return bisect_right(self._starts, offset)

    def line_span(self, start: int, end: int) -> tuple[int, int]:
        """The lines of a span, whole, with the end of the last one."""
        first, last = self.line(start), self.line(max(start, end - 1))
        return (self._starts[first - 1],
                self._starts[last] if last < len(self._starts) else len(self.text))

    def statements(self) -> dict[str, ast.Assign]:
        """Top-level ``name = value`` by name; of several the last."""
        return {target.id: statement for statement in self.tree.body
                if isinstance(statement, ast.Assign)
                for target in statement.targets if isinstance(target, ast.Name)}

    def names_read(self) -> set[str]:
        """The variables that the file reads."""
        return {node.id for node in ast.walk(self.tree)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}

    # --- edits -----------------------------------------------------------------------------

    def edit(self, start: int, end: int, text: str, reason: str, *, needed: bool = True,
             inner: list[Reason] = ()) -> None:
        """Put ``text`` in place of a span, and drop the edits inside of it.

        Args:
            inner: Reasons of what was edited inside and is part of ``text``.
        """
        own = Reason(self.line(start), self.line(max(start, end - 1)), reason, needed,
                     start == end)
        if start != end:
            inside = self._inside(start, end)
            self.edits = [edit for edit in self.edits if edit not in inside]
        self.edits.append(Edit(start, end, text.replace('\n', self.newline), [own, *inner]))

    def rendered(self, start: int, end: int) -> tuple[str, list[Reason]]:
        """The text of a span with the edits inside of it, and their reasons."""
        inside = self._inside(start, end)
        parts, place = [], start
        for edit in inside:
            parts += [self.text[place:edit.start], edit.text]
            place = edit.end
        parts.append(self.text[place:end])
        text = ''.join(parts).replace(self.newline, '\n')
        return text, [reason for edit in inside for reason in edit.reasons]

    def _inside(self, start: int, end: int) -> list[Edit]:
        """The edits of a span in order; what is written before or behind it is none of them."""
        whole = (start, end) == (0, len(self.text))
        return sorted((edit for edit in self.edits if start <= edit.start and edit.end <= end and (
            whole or edit.start != edit.end or start < edit.start < end)),
            key=lambda edit: (edit.start, edit.end))

    @property
    def old_text(self) -> str:
        """The text of the file as it was."""
        return self._bom + self.text

    @property
    def new_text(self) -> str:
        """The text with all edits."""
        text, _ = self.rendered(0, len(self.text))
        return self._bom + text.replace('\n', self.newline)

    @property
    def reasons(self) -> list[Reason]:
        """The reasons of all edits, by line."""
        return sorted((reason for edit in self.edits for reason in edit.reasons),
                      key=lambda reason: (reason.first, reason.last))


def is_cut(source: Source, node: ast.AST) -> bool:
    """Whether an edit covers a node."""
    start, end = source.span(node)
    return any(edit.start <= start and end <= edit.end for edit in source.edits)
