"""Links from pages to files of the repository, and the pages that show those files.

A page is named as mkdocs names it, by its path below docs/; ``files/PATH.md`` shows the file or
folder PATH of the repository.
"""

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

# [text](target) and [text](target#anchor), pictures too; no titles are used here.
LINK = re.compile(r'(\]\()([^()\s]+)(\))')
CODE = re.compile(r'(^ *```.*?^ *```[^\S\n]*$|`[^`\n]+`)', re.MULTILINE | re.DOTALL)
LANGUAGES = {'.py': 'python', '.sh': 'bash', '.cfg': 'ini', '.toml': 'toml', '.yml': 'yaml',
             '.json': 'json'}
PICTURES = ('.png', '.svg', '.jpg')
OUTSIDE = re.compile(r'[a-z][a-z+.-]*:|#')
HIDDEN = '---\nsearch:\n  exclude: true\n---\n'
DOCS, FILES = 'docs', 'files'


def where(page: str) -> str:
    """The path in the repository that a page's links are relative to."""
    if page.startswith(f'{FILES}/'):
        return page.removeprefix(f'{FILES}/').removesuffix('.md')
    return f'{DOCS}/{page}'


def target_of(link: str, page: str, root: Path) -> tuple[str, str] | None:
    """(path in the repository, '#anchor' or '') that a link of a page leads to; None outside."""
    if OUTSIDE.match(link):
        return None
    path, sign, anchor = link.partition('#')
    own = where(page)
    folder = own if (root / own).is_dir() else posixpath.dirname(own)
    return posixpath.normpath(posixpath.join(folder, path)), sign + anchor


def page_of(path: str) -> str:
    """The page that shows a path of the repository: a page of docs/, or one under files/."""
    if path.startswith(f'{DOCS}/') and path != DOCS:
        return re.sub(r'\.ipynb$', '.md', path.removeprefix(f'{DOCS}/'))
    return f'{FILES}/{path}' if path.endswith(PICTURES) else f'{FILES}/{path}.md'


def outside_code(text: str) -> Iterator[tuple[bool, str]]:
    """Pieces of markdown, and whether each is text (and not code)."""
    for i, piece in enumerate(CODE.split(text)):
        yield i % 2 == 0, piece


def rewritten(markdown: str, page: str, root: Path) -> tuple[str, list[str]]:
    """The page with links that lead where the site has them; and links that lead nowhere."""
    lost = []

    def mend(found: re.Match) -> str:
        target = target_of(found[2], page, root)
        if target is None:
            return found[0]
        path, anchor = target
        generated = path.startswith(f'{DOCS}/reference/')
        if path.startswith('..') or not (generated or (root / path).exists()):
            lost.append(found[2])
            return found[0]
        relative = os.path.relpath(page_of(path), posixpath.dirname(page) or '.')
        return f'{found[1]}{relative}{anchor}{found[3]}'

    return ''.join(LINK.sub(mend, piece) if is_text else piece
                   for is_text, piece in outside_code(markdown)), lost


def linked(text: str, page: str, root: Path) -> set[str]:
    """The paths of the repository outside docs/ that a page links to, as far as they exist."""
    targets = (target_of(found[2], page, root) for is_text, piece in outside_code(text) if is_text
               for found in LINK.finditer(piece))
    paths = {target[0] for target in targets if target}
    return {p for p in paths if not p.startswith(('..', f'{DOCS}/')) and (root / p).exists()}


def pages_of_files(texts: dict[str, str], root: Path) -> dict[str, str]:
    """A page for every file that a page links to, and for what those link to in turn."""
    pages, waiting = {}, [p for page, text in texts.items() for p in linked(text, page, root)]
    while waiting:
        path = waiting.pop()
        page = page_of(path)
        if page in pages or path.endswith(PICTURES):
            continue
        pages[page] = HIDDEN + shown(path, root)
        waiting += linked(pages[page], page, root)
    return pages


def pictures(texts: dict[str, str], root: Path) -> dict[str, Path]:
    """Pictures outside docs/ that pages link to: their place on the site, and the file."""
    return {page_of(p): root / p for page, text in texts.items()
            for p in linked(text, page, root) if p.endswith(PICTURES)}


def shown(path: str, root: Path) -> str:
    """Markdown that shows a file, or a folder with its README."""
    full = root / path
    if full.is_dir():
        return _folder(path, full)
    if full.suffix == '.md':
        return full.read_text()
    text = full.read_text()
    fence = '````' if '```' in text else '```'
    return (f'# {full.name}\n\n`{path}`\n\n{fence}{LANGUAGES.get(full.suffix, "text")}\n'
            f'{text.rstrip()}\n{fence}\n')


def _folder(path: str, full: Path) -> str:
    readme = full / 'README.md'
    text = readme.read_text() if readme.is_file() else f'# {full.name}\n\n`{path}/`\n'
    names = sorted(p.name + '/' * p.is_dir() for p in full.iterdir()
                   if not p.name.startswith(('.', '__pycache__')) and p.name != 'README.md'
                   and not p.name.endswith('.egg-info'))
    return f'{text}\n\n## Files\n\n' + ''.join(
        f'- [{name}]({name.rstrip("/")})\n' for name in names)
