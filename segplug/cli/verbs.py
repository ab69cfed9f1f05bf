"""Verbs of plugins: ``segplug NAME`` is the module that an entry point of ``segplug.verbs`` names.

The module is like those of segplug's own verbs: its docstring says what the verb does, and it has
``add_arguments(parser)``, ``run(args, argv)``, which returns the exit code, and perhaps
``EXAMPLE``. It is imported when its verb is called, and by nothing else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from .. import discovery
from ..errors import ConfigError


@dataclass
class Verb:
    """An entry point of the group, and why its name is not used, if it is not."""

    name: str
    target: str
    package: str
    version: str
    refused: str | None = None

    def load(self) -> ModuleType:
        """Its module.

        Raises:
            ConfigError: The verb is refused, or its module does not import or is no verb.
        """
        where = f'{self.package} {self.version} ({self.target})'
        if self.refused:
            raise ConfigError(f'The verb {self.name!r} of {where} is not used: {self.refused}.',
                              fix='rename it, or uninstall the package')
        try:
            module = import_module(self.target)
        except (Exception, SystemExit) as error:  # a third party's code may raise anything
            raise ConfigError(f'The verb {self.name!r} of {where} cannot be imported: '
                              f'{type(error).__name__}: {str(error).rstrip(".")}.',
                              fix='mend or uninstall the package') from error
        for name in ('add_arguments', 'run'):
            if not callable(getattr(module, name, None)):
                raise ConfigError(f'The verb {self.name!r} of {where} has no function {name}.',
                                  expected='a module with add_arguments(parser) and '
                                           'run(args, argv)')
        return module


def plugin_verbs(taken: Collection[str] | None = None) -> list[Verb]:
    """The verbs of the installed plugins, by name; nothing of them is imported.

    Args:
        taken: Names that are not theirs to take; segplug's own verbs by default.
    """
    if taken is None:
        from .main import VERBS
        taken = VERBS
    verbs = [Verb(point.name, point.value, package, version)
             for point, package, version in discovery.entry_points(discovery.VERBS)]
    for verb in verbs:
        others = sorted({v.package for v in verbs if v.name == verb.name} - {verb.package})
        if verb.name in taken or verb.name == 'help' or verb.name.startswith('-'):
            verb.refused = 'segplug has a verb of this name'
        elif others:
            verb.refused = f'{", ".join(others)} has one of this name, too'
    return verbs
