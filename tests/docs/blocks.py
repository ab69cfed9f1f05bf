"""The code blocks of pages, and what the comment before each says of how it is tested.

    <!-- block: run -->             as it stands, in a folder with a mini data set and a checkpoint
    <!-- block: tiny -->            run with flags that make it tiny, on one process
    <!-- block: parse -->           needs data or a GPU: its config is loaded, its flags are parsed
    <!-- block: text -->            output, or a tree

``file=NAME`` writes a block to that file of the page's folder, for the blocks after it; ``slow``
leaves a block to ``tools/run_tests.sh --slow``. Blocks of a page see the files of those before.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
KINDS = ('run', 'tiny', 'parse', 'text')
MARK = re.compile(r'<!-- block: (.*?) -->\s*$', re.DOTALL)


@dataclass
class Block:
    """A code block: where it stands, its language, its text and how it is tested."""

    page: str
    line: int
    language: str
    text: str
    kind: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f'{self.page}:{self.line}'


def pages() -> list[Path]:
    """Every page whose blocks are tested."""
    return [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'configs' / 'README.md',
            *sorted((ROOT / 'docs').rglob('*.md'))]


def blocks_of(path: Path) -> list[Block]:
    """The marked blocks of a page, in order.

    Raises:
        ValueError: A block has no mark, or one that is not known; it is indented and not fenced; or
            a mark has no block.
    """
    found, mark, page = [], None, path.relative_to(ROOT).as_posix()
    for token in MarkdownIt().parse(path.read_text()):
        place = f'{page}:{token.map[0] + 1}' if token.map else page
        if token.type == 'code_block':
            raise ValueError(f'{place}: an indented block; put it between ``` and mark it')
        if token.type == 'fence':
            if mark is None:
                raise ValueError(f'{place}: the block has no <!-- block: {"|".join(KINDS)} -->')
            found.append(_marked(mark, token, page))
            mark = None
        elif token.type == 'html_block' and (hit := MARK.search(token.content)):
            mark = hit[1].split()
        elif mark is not None and token.nesting >= 0:
            raise ValueError(f'{place}: a mark stands before something that is no block')
    return found


def _marked(words: list[str], token, page: str) -> Block:
    kind, options = words[0], {}
    for word in words[1:]:
        key, _, value = word.partition('=')
        options[key] = value
    place = f'{page}:{token.map[0] + 1}'
    if kind not in KINDS or set(options) - {'file', 'slow'}:
        raise ValueError(f'{place}: nothing is known of <!-- block: {" ".join(words)} -->')
    if kind == 'text' and token.info.strip() == 'bash':
        raise ValueError(f'{place}: commands are parsed at least')
    return Block(page, token.map[0] + 1, token.info.strip(), token.content, kind, options)


def commands(text: str) -> list[list[str]]:
    """The words of each command of a shell block; comments and line continuations are gone."""
    lines = text.replace('\\\n', ' ').splitlines() if "'" not in text and '"' not in text \
        else _logical_lines(text)
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def _logical_lines(text: str) -> list[str]:
    """Lines joined where a quote or a backslash goes on."""
    lines, waiting = [], ''
    for line in text.splitlines():
        waiting += line
        if waiting.endswith('\\'):
            waiting = waiting[:-1] + ' '
            continue
        try:
            shlex.split(waiting, comments=True)
        except ValueError:  # an open quote
            waiting += '\n'
            continue
        lines.append(waiting)
        waiting = ''
    return [*lines, waiting] if waiting else lines


def assigned(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The variables that a command is given in front, and the command without them."""
    given = {}
    while words and re.match(r'[A-Z_][A-Z_0-9]*=', words[0]):
        name, _, value = words[0].partition('=')
        given[name] = value
        words = words[1:]
    return given, words
