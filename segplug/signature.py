"""Constructors that add a few arguments to those of their base class.

Repeating twenty arguments in every decode head or data set would put one fact into twenty
places; an open ``**kwargs`` would hide them from readers, from documentation and from the
registry, which checks the keys of a config against the signature. So the constructor hands the
rest up, and `extends` writes down what the rest is.
"""

import inspect
from collections.abc import Callable


def extends(base: type, without: tuple[str, ...] = ()) -> Callable:
    """Decorate ``__init__(self, own, ..., **options)`` that gives ``options`` to ``base``.

    The signature becomes the own arguments, then those of ``base`` by keyword, except the
    names in ``without``, which the subclass fixes itself. A key outside of it still raises
    the TypeError of ``base.__init__``.
    """
    def decorate(init: Callable) -> Callable:
        own = [p for p in inspect.signature(init).parameters.values()
               if p.kind is not p.VAR_KEYWORD]
        taken = {p.name for p in own} | set(without)
        inherited = [p.replace(kind=p.KEYWORD_ONLY)
                     for p in inspect.signature(base.__init__).parameters.values()
                     if p.name not in taken]
        init.__signature__ = inspect.Signature([*own, *inherited])
        return init
    return decorate
