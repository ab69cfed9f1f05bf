"""What every component keeps, whatever it is: its settings are a config, and it can be copied."""

import copy
import pickle
import tempfile
from pathlib import Path

from mmengine.config import Config
from torch import nn

from .case import Case, Check, Skipped, adds_to, hold

CHECKS: list[Check] = []


@adds_to(CHECKS, 'docstring')
def it_says_what_it_is(case: Case) -> None:
    """In a docstring of its own."""
    kind = case.settings['type']
    cls = case.registry.get(kind) if isinstance(kind, str) else kind
    hold(bool((cls.__doc__ or '').strip()), f'{case.name} has no docstring.',
         fix='say in one line what it does, and what its arguments mean')


@adds_to(CHECKS, 'config')
def settings_survive_a_file(case: Case) -> None:
    """What a work directory keeps of its config makes the same component."""
    if not _is_plain(case.settings):
        raise Skipped('its settings hold objects, not only plain values')
    written = Config(dict(component=copy.deepcopy(case.settings)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'config.py'
        written.dump(file)
        again = Config.fromfile(file, import_custom_modules=False)
    hold(again.component == written.component, f'The settings of {case.name} are others once they '
         'are written and read.', got=dict(again.component), expected=dict(written.component))


def _is_plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(part) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float, bool))


@adds_to(CHECKS, 'copies')
def it_can_be_copied(case: Case) -> None:
    """Moving averages of a model, and test-time copies of a pipeline, are deep copies."""
    made = case.build()
    try:
        again = copy.deepcopy(made)
    except (TypeError, AttributeError, RuntimeError, pickle.PicklingError) as error:
        hold(False, f'{case.name} cannot be copied.', got=str(error).rstrip('.'),
             fix='keep no open file, lock or generator in it')
    if isinstance(made, nn.Module):
        hold(list(made.state_dict()) == list(again.state_dict()),
             f'A copy of {case.name} has another state_dict.')
