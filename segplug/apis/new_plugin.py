"""A plugin to start from: the example package under another name.

``examples/plugin`` is the template itself, so that what is written is what its tests hold. A wheel
carries it as ``segplug/plugin_template``.
"""

import importlib.util
import keyword
import re
import sys
from importlib import metadata
from pathlib import Path

from ..errors import ConfigError
from ..registry import MODELS

_SUFFIXES = {'.py', '.md', '.cfg'}
_BUILT = {'build', 'dist', 'work_dirs', 'data', '__pycache__', '.pytest_cache'}


def template() -> Path:
    """The folder of the example package: the checkout's, else the wheel's."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / 'examples' / 'plugin'
    return checkout if checkout.is_dir() else package / 'plugin_template'


def template_files() -> list[Path]:
    """Its files, relative to it; nothing that a build or a run has left there."""
    found = (path.relative_to(template()) for path in sorted(template().rglob('*')))
    return [path for path in found if path.suffix in _SUFFIXES
            and not any(part in _BUILT or part.endswith('.egg-info') for part in path.parts)]


def renamed(text: str, name: str) -> str:
    """A text of the template with the names of the package ``name``."""
    stem = stem_of(name)
    names = {'segplug_gated': name, 'segplug-gated': name.replace('_', '-'), 'gated': stem,
             'Gated': ''.join(part.capitalize() for part in stem.split('_'))}
    return re.sub('|'.join(names), lambda match: names[match[0]], text)


def stem_of(name: str) -> str:
    """What its head is called after: 'segplug_gated' -> 'gated', 'my_heads' -> 'my'."""
    stem = re.sub(r'^(segplug|mmseg)_|_heads?$', '', name).strip('_')
    return stem if stem and stem[0].isalpha() else name


def new_plugin(name: str, out: str | Path | None = None) -> Path:
    """Write a package with a head, a config, a test and an entry point.

    Args:
        name: Of the package, as Python imports it.
        out: Folder to write; ``NAME-plugin`` where one stands by default, with dashes.

    Returns:
        The folder.

    Raises:
        ConfigError: The name is none or taken, or the folder exists.
    """
    check_name(name)
    folder = Path(out if out is not None else f'{name.replace("_", "-")}-plugin')
    if folder.exists():
        raise ConfigError(f'{folder} exists, and nothing is written over it.',
                          fix='give another folder: --out DIR', culprit=str(folder))
    for file in template_files():
        target = folder / renamed(str(file), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (template() / file).read_text(encoding='utf-8')
        target.write_text(renamed(text, name), encoding='utf-8')
    return folder


def check_name(name: str) -> None:
    """Raise a `ConfigError` where a package cannot have this name, or something has it."""
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name) \
            or name.startswith('_'):
        proposal = re.sub(r'\W+', '_', name, flags=re.ASCII).strip('_').lower()
        proposal = proposal if proposal.isidentifier() and not keyword.iskeyword(proposal) else \
            f'my_{proposal}'.rstrip('_')
        raise ConfigError(f'{name!r} is no name of a Python package.', culprit=name,
                          expected='letters, digits and _, starting with a letter',
                          fix=f'call it {proposal}, for example')
    taken = _taken(name)
    if taken:
        raise ConfigError(f'{name!r} is taken: {taken}.', culprit=name,
                          fix=f'call it {name}_plugin, for example')
    head = renamed('GatedHead', name)
    if head in MODELS.names():
        raise ConfigError(f'{name!r} would have a head of the name {head}, which there is.',
                          culprit=name, fix=f'call it my_{name}, for example')


def _taken(name: str) -> str | None:
    if name in sys.stdlib_module_names:
        return 'Python has a module of this name'
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        return f'a module of this name is installed ({spec.origin})'
    try:
        version = metadata.version(name.replace('_', '-'))
    except metadata.PackageNotFoundError:
        return None
    return f'a package of this name is installed ({version})'
