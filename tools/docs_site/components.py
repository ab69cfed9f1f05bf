"""The tables of components: everything that a config can name, from the registries."""

import inspect
import re
import sys
from collections.abc import Mapping

from segplug import registry

from .docstrings import first_sentence, inline, source_link, sources

# Heading, registry, and the modules that its rows come from.
KINDS = (
    ('Segmentors', 'MODELS', 'segplug.models.segmentors'),
    ('Backbones', 'MODELS', 'segplug.models.backbones'),
    ('Necks', 'MODELS', 'segplug.models.necks'),
    ('Decode heads', 'MODELS', 'segplug.models.decode_heads'),
    ('Losses', 'MODELS', 'segplug.models.losses'),
    ('Pixel samplers', 'TASK_UTILS', 'segplug.models'),
    ('Other parts of models', 'MODELS', 'segplug.models'),
    ('Data sets', 'DATASETS', 'segplug.datasets'),
    ('Transforms', 'TRANSFORMS', 'segplug.datasets'),
    ('Metrics', 'METRICS', 'segplug.evaluation'),
    ('Hooks', 'HOOKS', 'segplug.engine'),
    ('Loops', 'LOOPS', 'segplug.engine'),
    ('Samplers of data', 'DATA_SAMPLERS', 'segplug.engine'),
    ('Optimizer wrappers', 'OPTIM_WRAPPERS', 'segplug.engine'),
    ('Optimizer constructors', 'OPTIM_WRAPPER_CONSTRUCTORS', 'segplug.engine'),
    ('Weight initialisers', 'WEIGHT_INITIALIZERS', 'segplug.engine'),
    ('Runners', 'RUNNERS', 'segplug.engine'),
    ('Log processors', 'LOG_PROCESSORS', 'segplug.engine'),
    ('Visualizers', 'VISUALIZERS', 'segplug.visualization'),
    ('Visualizer back-ends', 'VISBACKENDS', 'segplug.visualization'),
)


def rows(kind: str, package: str, shown: set) -> dict[str, type]:
    """Registered name -> class, of one registry and package, less what was shown before."""
    registered = getattr(registry, kind)
    registered.import_from_location()
    found = {name: cls for name, cls in registered.module_dict.items()
             if f'{cls.__module__}.'.startswith(f'{package}.') and (kind, name) not in shown}
    shown |= {(kind, name) for name in found}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def tables(places: Mapping[str, str]) -> str:
    """All tables as markdown, for the page reference/components.md."""
    near = {name: place.removeprefix('reference/') for name, place in places.items()}
    shown, parts = set(), []
    for heading, kind, package in KINDS:
        lines = [_row(name, cls, near) for name, cls in rows(kind, package, shown).items()]
        parts.append(f'## {heading}\n\nRegistry `{kind}`.\n\n| name | | source |\n|---|---|---|\n'
                     + '\n'.join(lines))
    left = [f'{kind}: {name}' for kind, name in _ours() - shown]
    if left:
        raise ValueError(f'components.KINDS has no table for {", ".join(sorted(left))}')
    return '\n\n'.join(parts) + '\n'


def _ours() -> set[tuple[str, str]]:
    """Every (registry, name) that segplug itself registers."""
    return {(kind, name) for kind, found in vars(registry).items()
            if isinstance(found, registry.Registry) and not found.import_from_location()
            for name, cls in found.module_dict.items() if cls.__module__.startswith('segplug.')}


def without_sources(sentence: str) -> str:
    """The sentence without the addresses that have a column of their own."""
    return re.sub(r'[,:]? \(?(?:arXiv[: ][\d.]*\d|https?://[^\s,)]*[^\s,).])\)?', '', sentence)


def _row(name: str, cls: type, places: Mapping[str, str]) -> str:
    place = places.get(f'{cls.__module__}.{cls.__name__}')
    doc = cls.__doc__ if cls.__doc__ else inspect.getdoc(cls)
    module = sys.modules[cls.__module__].__doc__
    cells = (f'[`{name}`]({place})' if place else f'`{name}`',
             inline(without_sources(first_sentence(doc)), places),
             ', '.join(source_link(s) for s in sources(doc) or sources(module)))
    return '| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |'
