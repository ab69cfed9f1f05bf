"""Python's garbage collector, at rest while a command starts.

Imports make half a million objects that stay. Whenever their number has grown by a quarter, the
collector looks at all of them: a fifth of the time that a training takes to its first step. So the
commands that load a network let it rest until their work begins, and what was imported by then is
not looked at again, nor copied by the workers that look at it.
"""

import contextlib
import gc
import os
from collections.abc import Iterator

_rests = False


@contextlib.contextmanager
def collector_rests() -> Iterator[None]:
    """No collection inside until `awake`; afterwards all is as before. For a command's process."""
    global _rests
    if not gc.isenabled() or gc.get_freeze_count():
        yield  # somebody else sees to it
        return
    gc.disable()
    _rests = True
    try:
        yield
    finally:
        awake()
        gc.unfreeze()


def settle() -> None:
    """All objects there are now, imported ones mostly, are here to stay."""
    if _rests:
        gc.freeze()


def awake() -> None:
    """The work begins: from now on garbage is collected."""
    global _rests
    if _rests:
        _rests = False
        gc.enable()


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """No collection inside, in any process: an import leaves no garbage worth it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=awake)  # a worker does nothing but work
