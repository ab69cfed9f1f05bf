"""Docstrings as markdown: sections become lists, names in backticks become links."""

import inspect
import re
from collections.abc import Mapping

SECTIONS = ('Args', 'Returns', 'Raises', 'Attributes', 'Yields', 'Examples', 'Note')
SECTION = re.compile(rf'^({"|".join(SECTIONS)}):\s*(.*)$')
ENTRY = re.compile(r'^([*\w][\w.*, \[\]]*?): +(.*)$')
CODE = re.compile(r'(``.+?``|`[^`\n]+`)', re.DOTALL)
URL = re.compile(r'(?<![(\[<])https?://[^\s)>\],]+[^\s)>\],.;]')
SPECIAL = re.compile(r'([<*\[\]])')
# What a source looks like: an address, an arXiv number, authors with a year.
SOURCE = re.compile(r'https?://[^\s)>\],]+[^\s)>\],.;:]|arXiv[: ]\d{4}\.\d{4,5}'
                    r'|[A-Z][\w-]+ (?:et al\.|(?:&|and) [A-Z][\w-]+),?[^()]{0,120}?'
                    r'\(?(?:19|20)\d\d\b\)?')


def first_sentence(text: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    paragraph = ' '.join(inspect.cleandoc(text or '').split('\n\n')[0].split())
    found = re.match(r'(.+?[.:])(?= [A-Z`]|$)', paragraph)
    return (found[1] if found else paragraph).rstrip(':')


def sources(*texts: str | None) -> list[str]:
    """Addresses and arXiv numbers in docstrings, in order, each once; else authors with a year."""
    found = [' '.join(hit.split()) for text in texts for hit in SOURCE.findall(text or '')]
    found = [hit if '(' in hit else hit.rstrip(')') for hit in found]
    addresses = [hit for hit in found if hit.startswith(('http', 'arXiv'))]
    return list(dict.fromkeys(addresses or found))


def source_link(source: str) -> str:
    """A source as markdown; arXiv numbers lead to arxiv.org."""
    arxiv = re.match(r'https?://arxiv\.org/abs/([\d.]+)$', source)
    if arxiv:
        address, name = source, f'arXiv {arxiv[1]}'
    elif source.startswith('http'):
        address, name = source, re.sub(r'^https?://(www\.)?', '', source)
    elif source.startswith('arXiv'):
        address, name = f'https://arxiv.org/abs/{source[6:]}', f'arXiv {source[6:]}'
    else:
        return escaped(source)
    return f'[{name if len(name) <= 40 else name.split("/")[0]}]({address})'


def escaped(text: str) -> str:
    """Text in which markdown sees nothing but addresses."""
    pieces, last = [], 0
    for found in URL.finditer(text):
        pieces += [SPECIAL.sub(r'\\\1', text[last:found.start()]), f'<{found[0]}>']
        last = found.end()
    return ''.join([*pieces, SPECIAL.sub(r'\\\1', text[last:])])


def inline(text: str, places: Mapping[str, str]) -> str:
    """One run of text: code stays, single backticks that name something known are links."""

    def code(piece: str) -> str:
        name = piece.strip('`')
        place = None if piece.startswith('``') else places.get(name.removesuffix('()'))
        return f'[`{name}`]({place})' if place else piece

    return ''.join(code(piece) if i % 2 else escaped(piece)
                   for i, piece in enumerate(CODE.split(text)))


def markdown(doc: str | None, places: Mapping[str, str]) -> str:
    """A docstring as markdown.

    Args:
        doc: As it stands in the source.
        places: What is documented: its name, as backticks have it, and the link to it.
    """
    lines = inspect.cleandoc(doc or '').splitlines()
    blocks, block, section = [], [], None
    for line in [*lines, 'Note:']:
        found = SECTION.match(line)
        if not found:
            block.append(line)
            continue
        blocks.append(_section(section, block, places) if section else _text(block, places))
        section, block = found[1], [f'    {found[2]}'] if found[2] else []
    return '\n\n'.join(text for text in blocks if text)


def _text(lines: list[str], places: Mapping[str, str]) -> str:
    """Paragraphs; lines that are indented by four and more are an example, which stays as it is."""
    paragraphs = re.split(r'\n\s*\n', '\n'.join(lines).strip('\n'))
    return '\n\n'.join(text if text.startswith('    ') else inline(text, places)
                       for text in paragraphs)


def _section(name: str, lines: list[str], places: Mapping[str, str]) -> str:
    body = inspect.cleandoc('\n' + '\n'.join(lines)).strip('\n')
    entries: list[str] = []
    for line in body.splitlines():
        found = ENTRY.match(line) if name != 'Returns' else None
        if found:
            names = found[1] if name == 'Raises' else f'`{found[1]}`'
            entries.append(f'- {names}: {inline(found[2], places)}')
        elif entries and line.startswith(' '):
            entries[-1] += f' {inline(line.strip(), places)}'
        elif line.strip():
            entries.append(f'- {inline(line, places)}' if entries and name != 'Returns'
                           else inline(line, places))
    joined = '\n'.join(entries)
    return f'**{name}**\n\n{joined}'
