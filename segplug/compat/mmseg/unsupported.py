"""What stands for a name of mmsegmentation that is not supported: it imports, and refuses its use.

So a package whose other parts work can be imported, and the sentence comes where one of the
others is needed.
"""

import logging
from abc import ABCMeta
from collections.abc import Iterable

from mmengine.logging import print_log

from ...errors import ConfigError


class Refusing(ABCMeta):
    """The class of a class that, like everything derived from it, cannot be called."""

    def __call__(cls, *args, **kwargs):
        raise ConfigError(
            f"{cls.missing} is not supported by segplug, which lends mmsegmentation's "
            'names to code written for it.', got=f'a call of {cls.__name__}',
            fix='take a method that `segplug zoo` lists, or run this part with mmsegmentation',
            culprit=cls.__name__)


def unsupported(module: str, name: str) -> type:
    """The stand-in of ``mmseg.<module>.<name>``.

    It can be imported, named in an annotation, asked for in isinstance and derived from.

    Raises (when called, as a derived class does too):
        ConfigError: Says which name is not supported.
    """
    full = f'mmseg.{module}'
    return Refusing(name, (), dict(__module__=full, missing=f'{full}.{name}',
                                   __doc__=f'{full}.{name}, which segplug does not support.'))


def tell_without_effect(owner: str, names: Iterable[str]) -> None:
    """Warn of arguments that mmsegmentation's ``owner`` takes and does nothing with, as ours does:
    one of them may be a slip."""
    for name in names:
        print_log(f'{owner}: the argument {name!r} has no effect.', 'current', logging.WARNING)
