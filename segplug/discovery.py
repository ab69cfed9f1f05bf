"""Entry points of installed packages: what registers components, and what brings verbs.

Nothing is imported here, so that ``segplug --help`` may look.
"""

import os
from collections.abc import Iterator
from importlib import metadata

COMPONENTS = 'segplug.plugins'
VERBS = 'segplug.verbs'


def plugins_disabled() -> bool:
    """Whether ``SEGPLUG_NO_PLUGINS`` turns discovery off."""
    return os.environ.get('SEGPLUG_NO_PLUGINS', '') not in ('', '0')


def entry_points(group: str) -> Iterator[tuple[metadata.EntryPoint, str, str]]:
    """The entry points of a group by name, each with its package and version.

    One that two folders of the path describe, as after an installation over another, comes once.
    """
    if plugins_disabled():
        return
    seen = set()
    for point in sorted(metadata.entry_points(group=group), key=lambda p: (p.name, p.value)):
        package, version = (point.dist.name, point.dist.version) if point.dist else ('?', '?')
        if (point.name, point.value, package) not in seen:
            seen.add((point.name, point.value, package))
            yield point, package, version
