"""What the site makes from the code: docstrings, signatures, tables of components, verbs."""

import os
import subprocess
import sys

import pytest
from blocks import ROOT
from docs_site import components, docstrings, python_api, verbs

from segplug.cli.main import VERBS
from segplug.models.decode_heads import FCNHead
from segplug.ops.confusion import confusion_matrix

DOC = '''Adds ``a`` and `b`; see `other.add` and https://a.b/c.

    add(1, 2)

Args:
    a, b: Numbers, of any
        kind, *both*.
    Others as for `other`.

Returns:
    (K, K) int64: the sum <of both>.

Raises:
    ValueError: Never.
'''


def test_a_docstring_becomes_markdown():
    assert docstrings.markdown(DOC, {'other.add': 'x.md#add'}) == (
        'Adds ``a`` and `b`; see [`other.add`](x.md#add) and <https://a.b/c>.\n\n'
        '    add(1, 2)\n\n'
        '**Args**\n\n- `a, b`: Numbers, of any kind, \\*both\\*.\n- Others as for `other`.\n\n'
        '**Returns**\n\n(K, K) int64: the sum \\<of both>.\n\n'
        '**Raises**\n\n- ValueError: Never.')


def test_first_sentences_and_sources():
    doc = 'PSP, https://arxiv.org/abs/1612.01105. It pools.\n\nMore, arXiv 1612.01106.'
    assert docstrings.first_sentence(doc) == 'PSP, https://arxiv.org/abs/1612.01105.'
    assert components.without_sources(docstrings.first_sentence(doc)) == 'PSP.'
    assert docstrings.sources(doc, None) == ['https://arxiv.org/abs/1612.01105', 'arXiv 1612.01106']
    assert docstrings.source_link('https://arxiv.org/abs/1612.01105') == (
        '[arXiv 1612.01105](https://arxiv.org/abs/1612.01105)')
    assert docstrings.sources('Long et al., Fully convolutional networks (2015), 5') == [
        'Long et al., Fully convolutional networks (2015)']
    assert docstrings.sources('BDD100K (Yu et al., CVPR 2020), 19.') == ['Yu et al., CVPR 2020']


def test_signatures_show_what_a_constructor_takes():
    """Those of its base class too, which a decorator writes down."""
    text = python_api.signature(FCNHead)
    assert text.startswith('class FCNHead(\n    num_convs: int = 2,\n    kernel_size: int = 3,')
    assert '    *,\n' in text
    assert '    num_classes: int,\n' in text
    assert 'self' not in text
    assert python_api.signature(confusion_matrix) == (
        'def confusion_matrix(pred, label, num_classes: int, ignore_index: int | None = 255)')


def test_every_component_has_a_row_and_most_of_the_published_ones_a_source():
    text = components.tables({})  # raises where a registered name is in no table
    rows = [line for line in text.splitlines() if line.startswith('| `')]
    heads = text[text.index('## Decode heads'):text.index('## Losses')].splitlines()
    heads = [line for line in heads if line.startswith('| `')]
    assert len(rows) > 150
    assert len(set(rows)) == len(rows)
    assert sum('arxiv.org' in line for line in heads) > 0.7 * len(heads)


def test_every_verb_has_a_page_with_its_help():
    made = verbs.pages()
    assert list(made) == [f'reference/commands/{verb}.md' for verb in VERBS]
    for verb, text in zip(VERBS, made.values(), strict=True):
        assert f'usage: segplug {verb}' in text
    assert 'segplug plugins check' in made['reference/commands/plugins.md']
    assert verbs.parser_of('train').parse_args(['a.py']).config == 'a.py'


def test_the_site_builds_without_a_warning_and_asks_no_other_computer(tmp_path):
    pytest.importorskip('mkdocs', reason='needs requirements/docs.txt')
    done = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', str(tmp_path)],
        cwd=ROOT, env={**os.environ, 'NO_MKDOCS_2_WARNING': '1'}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / 'reference' / 'components.html').read_text()
    assert 'api/segplug.models.decode_heads.html#segplug.models.decode_heads.psp_head' in page
    for path in tmp_path.rglob('*.html'):
        for tag in ('<script', '<link rel="stylesheet"', '<img'):
            for part in path.read_text().split(tag)[1:]:
                assert 'http' not in part.split('>')[0], f'{path}: {tag}{part.split(">")[0]}'
