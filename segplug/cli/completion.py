"""What TAB offers after ``segplug``: verbs, flags, choices, shipped configs, files.

The shell asks through argcomplete (the extra ``completion``); only the verb on the line is
imported. Set up once: ``eval "$(register-python-argcomplete segplug)"``.
"""

import argparse
import os
from collections.abc import Callable, Mapping
from types import ModuleType


def asked() -> bool:
    """Whether a shell wants to know what could come next."""
    return '_ARGCOMPLETE' in os.environ


def answer(verbs: Mapping[str, str], module_of: Callable[[str], ModuleType | None]) -> None:
    """Tell the shell, and end the process.

    Args:
        verbs: What each verb does, by name.
        module_of: The module of a verb, with ``add_arguments``.
    """
    import argcomplete
    parser = argparse.ArgumentParser(prog='segplug')
    parser.add_argument('--version', action='store_true')
    actions = parser.add_subparsers()
    words = os.environ.get('COMP_LINE', '').split()
    for name, text in verbs.items():
        verb = actions.add_parser(name, help=text)
        if name in words[1:2]:
            module_of(name).add_arguments(verb)
            offer(verb)
    argcomplete.autocomplete(parser)


def offer(parser: argparse.ArgumentParser) -> None:
    """Shipped configs and files wherever a config is asked for, names of trackers for ``--track``;
    in the verbs below a verb too. Elsewhere argcomplete offers files."""
    from argcomplete.completers import FilesCompleter
    files = FilesCompleter()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                offer(inner)
        elif action.dest in ('config', 'configs', 'diff'):
            action.completer = lambda prefix, **_: [*shipped(prefix), *files(prefix)]
        elif action.dest == 'track':
            action.completer = lambda prefix, **_: trackers(prefix)


def trackers(prefix: str) -> list[str]:
    """What ``--track`` takes that begins so."""
    from ..apis.tracking import BACKENDS
    return [name for name in BACKENDS if name.startswith(prefix)]


def shipped(prefix: str) -> list[str]:
    """The shipped configs whose names begin so; folders first, as a file system would."""
    from ..apis.places import shipped_configs
    root = shipped_configs()
    names = (path.relative_to(root).as_posix() for path in root.rglob('*.py'))
    found = {name if '/' in prefix else f'{name.split("/")[0]}/'
             for name in names if not name.startswith(('_base_', '__'))}
    return sorted(name for name in found if name.startswith(prefix))
