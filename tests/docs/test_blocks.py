"""Every code block of README, CONTRIBUTING and docs is marked, and does what it says."""

import pytest
from block_running import forget, make_base, make_page_folder, run
from blocks import ROOT, assigned, blocks_of, commands, pages

PAGES = {path.relative_to(ROOT).as_posix(): path for path in pages()}


def _with(slow: bool) -> list[str]:
    """Pages that have a block to be tested; with ``slow``, those that have a slow one."""
    found = []
    for name, path in PAGES.items():
        try:
            blocks = blocks_of(path)
        except ValueError:  # test_every_block_is_marked tells
            continue
        if any(block.kind != 'text' and (not slow or 'slow' in block.options) for block in blocks):
            found.append(name)
    return found


@pytest.fixture(scope='session')
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp('docs')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_base(folder)
    return folder


@pytest.fixture
def page_folder(base, tmp_path, monkeypatch):
    make_page_folder(base, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    forget(tmp_path)


@pytest.mark.parametrize('page', PAGES)
def test_every_block_is_marked(page):
    blocks_of(PAGES[page])


@pytest.mark.parametrize('page', _with(slow=False))
def test_blocks_do_what_they_say(page, page_folder):
    namespace = {'__name__': '__main__'}
    for block in blocks_of(PAGES[page]):
        if 'slow' not in block.options:
            run(block, page_folder, namespace)


@pytest.mark.slow
@pytest.mark.parametrize('page', _with(slow=True))
def test_slow_blocks_do_what_they_say(page, page_folder):
    namespace = {'__name__': '__main__'}
    for block in blocks_of(PAGES[page]):
        run(block, page_folder, namespace)


@pytest.mark.parametrize(('text', 'said'), [
    ('```bash\nls\n```\n', 'a.md:1: the block has no <!-- block'),
    ('text\n\n    ls\n', 'a.md:3: an indented block'),
    ('<!-- block: walk -->\n```bash\nls\n```\n', 'nothing is known of <!-- block: walk -->'),
    ('<!-- block: run fast -->\n```bash\nls\n```\n', 'nothing is known of'),
    ('<!-- block: text -->\n```bash\nls\n```\n', 'commands are parsed at least'),
    ('<!-- block: run -->\n\nwords\n', 'a mark stands before something that is no block'),
])
def test_what_is_not_marked_is_told(text, said, tmp_path, monkeypatch):
    monkeypatch.setattr('blocks.ROOT', tmp_path)
    (tmp_path / 'a.md').write_text(text)
    with pytest.raises(ValueError, match=said):
        blocks_of(tmp_path / 'a.md')


def test_commands_are_read_as_a_shell_does():
    text = "A=1 segplug train \\\n    a.py  # why\n\npython -c 'x\ny'\n# all of it\n"
    assert commands(text) == [['A=1', 'segplug', 'train', 'a.py'], ['python', '-c', 'x\ny']]
    assert assigned(['A=1', 'B=x=y', 'ls', 'C=1']) == ({'A': '1', 'B': 'x=y'}, ['ls', 'C=1'])
