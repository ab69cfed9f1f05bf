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

    The signature becomes the own arguments, then those of ``base`` by keyword, or as ``base``
    has them if ``__init__`` hands ``*rest`` up too; except the names in ``without``, which the
    subclass fixes itself. A key outside of it still raises the TypeError of ``base.__init__``.
    """
    def decorate(init: Callable) -> Callable:
        given = inspect.signature(init).parameters.values()
        own = [p for p in given if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        has_rest = any(p.kind is p.VAR_POSITIONAL for p in given)
        taken = {p.name for p in own} | set(without)
        inherited = [p if has_rest else p.replace(kind=p.KEYWORD_ONLY)
                     for p in inspect.signature(base.__init__).parameters.values()
                     if p.name not in taken]
        init.__signature__ = inspect.Signature([*own, *inherited])
        return init
    return decorate
