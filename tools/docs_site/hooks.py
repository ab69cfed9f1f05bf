"""mkdocs' hooks (mkdocs.yml): adds the pages that are made from the code, and mends links.

Pages of docs/ link to files of the repository by relative paths, as the repository's own rendering
wants them; on the site such a link leads to a page that shows the file.
"""

import logging
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(1, str(ROOT / 'tools'))

from docs_site import components, links, notebook, python_api, verbs  # noqa: E402

log = logging.getLogger('mkdocs.hooks.segplug')
# A page of docs/ that holds this line gets there what is made from the code.
MARKER = '<!-- made from the code: {} -->'


def on_config(config: MkDocsConfig) -> None:
    """Everything generated is made here: once per build, before files are listed."""
    api = python_api.pages()
    commands = verbs.pages()
    names = python_api.places(api)
    config.extra['generated'] = {**{path: page.markdown(names) for path, page in api.items()},
                                 **commands, **_notebooks(Path(config.docs_dir))}
    config.extra['filled'] = {'components': components.tables(names),
                              'commands': verbs.index(), 'python': python_api.index(api)}
    under = {'reference/commands.md': ('Commands', list(commands)),
             'reference/python.md': ('Python', list(api))}
    config.nav = [_with_children(item, under) for item in config.nav]


def _notebooks(docs: Path) -> dict[str, str]:
    return {path.relative_to(docs).with_suffix('.md').as_posix(): notebook.page(path)
            for path in docs.rglob('*.ipynb')}


def _with_children(item, under: dict[str, tuple[str, list[str]]]):
    """A page of the nav that stands above generated ones becomes a section that begins with it."""
    if isinstance(item, dict):
        return {title: _with_children(value, under) for title, value in item.items()}
    if isinstance(item, list):
        return [_with_children(value, under) for value in item]
    if item in under:
        title, children = under[item]
        return {title: [{'Overview': item}, *children]}
    return item


def on_files(files: Files, config: MkDocsConfig) -> Files:
    generated = config.extra['generated']
    docs = Path(config.docs_dir)
    texts = {f.src_uri: (docs / f.src_uri).read_text() for f in files.documentation_pages()}
    generated.update(links.pages_of_files(texts, ROOT))
    for path, text in generated.items():
        files.append(File.generated(config, path, content=text))
    for path, source in links.pictures(texts, ROOT).items():
        files.append(File.generated(config, path, abs_src_path=str(source)))
    return files


def on_page_markdown(markdown: str, page, config: MkDocsConfig, files: Files) -> str:
    path = page.file.src_uri
    for name, text in config.extra['filled'].items():
        markdown = markdown.replace(MARKER.format(name), text)
    markdown, lost = links.rewritten(markdown, path, ROOT)
    for target in lost:
        log.warning("%s links to '%s', which is not in the repository", path, target)
    return markdown
