"""The Python reference: a page for every package, from signatures and docstrings as they are.

Modules are imported and looked at, because what a constructor takes is often written down by a
decorator (`segplug.signature.extends`) that reading the source would not see.
"""

import importlib
import inspect
import os
import pkgutil
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

from segplug import apis

from .docstrings import first_sentence, inline, markdown

FOLDER = 'reference/api'
# A page shows the modules that stand directly in its package, or the one module.
PAGES = (
    'segplug.apis', 'segplug.registry', 'segplug.errors', 'segplug.structures', 'segplug.signature',
    'segplug.ops', 'segplug.models', 'segplug.models.backbones',
    'segplug.models.necks', 'segplug.models.decode_heads', 'segplug.models.losses',
    'segplug.models.segmentors', 'segplug.models.layers', 'segplug.datasets',
    'segplug.datasets.transforms', 'segplug.evaluation', 'segplug.visualization',
    'segplug.engine', 'segplug.engine.hooks', 'segplug.analysis', 'segplug.export',
    'segplug.report', 'segplug.contract')
LONGEST = 88


@dataclass
class Page:
    """A page of the reference, and what it shows."""

    name: str
    modules: list[ModuleType] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f'{FOLDER}/{self.name}.md'

    def markdown(self, places: Mapping[str, str]) -> str:
        near = {name: _near(place, self.path) for name, place in places.items()}
        parts = [f'---\ntitle: {self.name}\n---\n# {self.name}']
        for module in self.modules:
            objects = public(module)
            if module.__name__ != self.name:
                parts.append(f'## {module.__name__.rpartition(".")[2]} {{ #{module.__name__} }}')
            parts.append(markdown(module.__doc__, near))
            parts += [described(obj, near) for obj in objects]
        return '\n\n'.join(part for part in parts if part) + '\n'


def _near(place: str, page: str) -> str:
    path, _, anchor = place.partition('#')
    return f'{os.path.relpath(path, posixpath.dirname(page))}#{anchor}'


def pages() -> dict[str, Page]:
    """Path of a page -> what it shows."""
    found = {}
    for name in PAGES:
        package = importlib.import_module(name)
        page = Page(name, [package])
        for info in pkgutil.iter_modules(getattr(package, '__path__', [])):
            if not info.ispkg and not info.name.startswith('_'):
                module = importlib.import_module(f'{name}.{info.name}')
                if public(module):
                    page.modules.append(module)
        found[page.path] = page
    return found


def public(module: ModuleType) -> list:
    """The classes and functions that a module defines and does not hide, in its order."""
    return [obj for name, obj in vars(module).items()
            if not name.startswith('_') and (inspect.isclass(obj) or inspect.isfunction(obj))
            and obj.__module__ == module.__name__ and obj.__doc__]


def places(api: Mapping[str, Page]) -> dict[str, str]:
    """Every name that docstrings may use for something documented -> 'page#anchor'.

    Dotted names, with and without ``segplug.``, and bare ones that only one thing has.
    """
    dotted, bare = {}, {}
    for path, page in api.items():
        for module in page.modules:
            for obj in public(module):
                full = f'{module.__name__}.{obj.__name__}'
                place = f'{path}#{full}'
                dotted[full] = dotted[full.partition('.')[2]] = place
                # segplug.apis.train is said of the function, which has the name of its module.
                dotted.setdefault(f'{page.name}.{obj.__name__}', place)
                bare.setdefault(obj.__name__, set()).add(place)
    return {**{name: found.pop() for name, found in bare.items() if len(found) == 1}, **dotted}


def described(obj, places: Mapping[str, str]) -> str:
    """A class with its methods, or a function."""
    full = f'{obj.__module__}.{obj.__name__}'
    parts = [f'### {obj.__name__} {{ #{full} }}', f'```python\n{signature(obj)}\n```',
             markdown(obj.__doc__, places)]
    if inspect.isclass(obj):
        for name, member in vars(obj).items():
            function = getattr(member, '__func__', getattr(member, 'fget', member))
            if name.startswith('_') or not inspect.isfunction(function) or not function.__doc__:
                continue
            shown = name if isinstance(member, property) else signature(function)
            parts.append(f'**`{" ".join(shown.removeprefix("def ").split())}`**\n\n'
                         f'{markdown(function.__doc__, places)}')
    return '\n\n'.join(part for part in parts if part)


def signature(obj) -> str:
    """'class Name(argument: type = default)' or 'def ...', one argument a line where it is long."""
    start = f'{"class" if inspect.isclass(obj) else "def"} {obj.__name__}'
    try:
        found = inspect.signature(obj)
    except (TypeError, ValueError):
        return start
    arguments = [_plain(str(p)) for p in found.parameters.values() if p.name != 'self']
    kinds = list(found.parameters.values())
    first = next((i for i, p in enumerate(kinds) if p.kind is p.KEYWORD_ONLY), None)
    if first is not None and not any(p.kind is p.VAR_POSITIONAL for p in kinds):
        arguments.insert(first - sum(p.name == 'self' for p in kinds), '*')
    result = '' if found.return_annotation in (found.empty, None) else (
        f' -> {_plain(inspect.formatannotation(found.return_annotation))}')
    line = f'{start}({", ".join(arguments)}){result}'
    if len(line) <= LONGEST:
        return line
    return f'{start}(\n    ' + ',\n    '.join(arguments) + f'){result}'


def _plain(text: str) -> str:
    """A parameter without the modules of its types and without addresses in memory."""
    text = re.sub(r'<(?:function|class|built-in function) \'?([\w.]+)\'?.*?>', r'\1', text)
    text = re.sub(r'<(\S+).*? at 0x\w+>', r'\1', text)
    return re.sub(r'\b(?:[a-z_]\w*\.)+(?=[A-Z])', '', text)


def index(api: Mapping[str, Page]) -> str:
    """The table of what `segplug.apis` gives, and that of packages."""
    near = {name: place.removeprefix('reference/') for name, place in places(api).items()}
    calls = '\n'.join(f'| {_linked(getattr(apis, name), name, near)} | '
                      f'{inline(first_sentence(getattr(apis, name).__doc__), near)} |'
                      for name in apis.__all__)
    packages = '\n'.join(f'| [{page.name}](api/{page.name}.md) | '
                         f'{inline(first_sentence(page.modules[0].__doc__), near)} |'
                         for page in api.values())
    return (f'## What to call\n\n`from segplug.apis import ...`\n\n| | |\n|---|---|\n{calls}\n\n'
            f'## Packages\n\n| | |\n|---|---|\n{packages}\n')


def _linked(obj, name: str, places: Mapping[str, str]) -> str:
    place = places.get(f'{obj.__module__}.{obj.__name__}')
    return f'[`{name}`]({place})' if place else f'`{name}`'
