"""From ``--classes`` to names and colours: the flag means the same in every verb."""

import os
from collections.abc import Sequence

from ..datasets.classes import find_table
from ..errors import ConfigError, did_you_mean
from ..registry import DATASETS, load_plugins, resolve

_MOST = 65535  # the ids of 16 bits but one


def class_table(given: str | int | Sequence[str]) -> dict:
    """``classes``, and ``palette`` where it is known.

    Args:
        given: The names; or, as a flag has it, a number of classes (19), a data set
            ('CityscapesDataset' or 'cityscapes'), a file of names (see
            `segplug.datasets.classes`), or names with commas after or between them.

    Raises:
        ConfigError: It is none of these, names a class twice, or more classes than files hold.
    """
    if isinstance(given, int) or isinstance(given, str) and given.isdecimal():
        count = min(int(given), _MOST + 1)
        found = dict(classes=tuple(str(k) for k in range(count)), palette=None)
    elif not isinstance(given, str):
        found = dict(classes=tuple(given), palette=None)
    elif os.path.isfile(given):  # Path.is_file() raises for a list of names that is long
        found = find_table(given, ('',))
    elif ',' in given:
        names = [name.strip() for name in given.split(',')]
        found = dict(classes=tuple(names[:-1] if names[-1] == '' else names), palette=None)
    else:
        found = _of_dataset(given)
    names = found['classes']
    if len(names) > _MOST:
        raise ConfigError(f'--classes {given} is more than files can hold.', got=len(names),
                          expected=f'at most {_MOST}, the ids of 16 bits but one')
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigError(f'--classes {given} does not name one class or more, each once.',
                          got=f'{len(names)} names, {len(set(names))} of them different')
    return found


def short_name(name: str) -> str:
    """'cityscapes' of 'CityscapesDataset', of whatever scope."""
    return name.split('.')[-1].lower().removesuffix('dataset')


def named_datasets() -> dict[str, type]:
    """Every registered data set that knows its classes, plugins' too, by its short name."""
    load_plugins()
    made = {short_name(name): resolve(name, DATASETS) for name in DATASETS.names()}
    return {name: cls for name, cls in made.items() if 'classes' in getattr(cls, 'METAINFO', {})}


def _of_dataset(given: str) -> dict:
    known, name = named_datasets(), short_name(given)
    if name not in known:
        raise ConfigError(f'--classes {given!r} does not say what the classes are.', culprit=given,
                          expected='a number, a data set, a file of names, or names with commas '
                                   'between', fix=did_you_mean(name, known))
    return dict(known[name].METAINFO)
