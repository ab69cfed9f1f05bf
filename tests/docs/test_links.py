"""Links of the pages lead somewhere in the repository, and on the site to a page that is there."""

import re
from pathlib import Path

import pytest
from blocks import ROOT, pages
from docs_site import links

TREE = {'docs/a.md': '# A\n\n[b](how/b.md#part) [code](../src/x.py) [web](https://a.b/c)\n',
        'docs/how/b.md': '# B\n\n`[no](link.md)` [readme](../../README.md) ![p](../../pic.png)\n',
        'README.md': '# R\n\n[a](docs/a.md) [src](src)\n', 'src/x.py': 'x = 1\n', 'pic.png': ''}


@pytest.fixture
def tree(tmp_path):
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_links_to_files_become_links_to_pages(tree):
    assert links.rewritten(TREE['docs/a.md'], 'a.md', tree) == (
        '# A\n\n[b](how/b.md#part) [code](files/src/x.py.md) [web](https://a.b/c)\n', [])
    assert links.rewritten(TREE['docs/how/b.md'], 'how/b.md', tree) == (
        '# B\n\n`[no](link.md)` [readme](../files/README.md.md) ![p](../files/pic.png)\n', [])
    # README's page is files/README.md.md, and its links are relative to the root.
    assert links.rewritten(TREE['README.md'], 'files/README.md.md', tree) == (
        '# R\n\n[a](../a.md) [src](src.md)\n', [])


def test_what_is_linked_gets_a_page_and_so_does_what_that_links_to(tree):
    made = links.pages_of_files({'how/b.md': TREE['docs/how/b.md']}, tree)
    assert sorted(made) == ['files/README.md.md', 'files/src.md', 'files/src/x.py.md']
    assert '```python\nx = 1\n```' in made['files/src/x.py.md']
    assert '- [x.py](x.py)' in made['files/src.md']
    assert list(links.pictures({'how/b.md': TREE['docs/how/b.md']}, tree)) == ['files/pic.png']


def test_a_link_that_leads_nowhere_is_told(tree):
    text = '[x](no.md) [y](../../above)'
    assert links.rewritten(text, 'a.md', tree) == (text, ['no.md', '../../above'])


@pytest.mark.parametrize('path', [p.relative_to(ROOT).as_posix() for p in pages()])
def test_every_link_leads_somewhere(path):
    text = (ROOT / path).read_text()
    wrong = []
    for is_text, piece in links.outside_code(text):
        for found in links.LINK.finditer(piece) if is_text else ():
            link, _, anchor = found[2].partition('#')
            if links.OUTSIDE.match(found[2]) and not found[2].startswith('#'):
                continue
            target = (ROOT / path).parent / link if link else ROOT / path
            if not target.exists() or (anchor and anchor not in anchors(target)):
                wrong.append(found[2])
    assert wrong == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the repository's own rendering makes them."""
    headings = re.findall(r'^#+ +(.*)$', page.read_text(), re.MULTILINE)
    plain = (re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading) for heading in headings)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).strip().replace(' ', '-') for heading in plain}
