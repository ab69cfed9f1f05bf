"""mmsegmentation's names for code that was written for it; importing this lends them.

``custom_imports = dict(imports=['segplug.compat.mmseg', ...])`` in a config, ``import
segplug.compat.mmseg`` in a notebook, or ``python -m segplug.compat.mmseg SCRIPT ...`` around any
program: from then on ``from mmseg.registry import MODELS`` finds segplug's registries, and
``mmseg.models``, ``mmseg.datasets`` ... segplug's classes. What segplug does not have imports, and
says so where it is used. Where mmsegmentation itself is installed, this refuses.
"""

import sys

from . import finder

_finder = finder.Finder()


def is_lent() -> bool:
    """Whether the names can be imported."""
    return _finder in sys.meta_path


def install() -> None:
    """Lend mmsegmentation's names; once is enough, and importing this package has done it.

    Raises:
        ConfigError: mmsegmentation itself is installed.
    """
    if is_lent():
        return
    finder.refuse_the_real_one()
    from .bridge import lend
    sys.meta_path.insert(0, _finder)
    lend()


def remove() -> None:
    """Take the names away; what was imported by them stays as it is."""
    if not is_lent():
        return
    sys.meta_path.remove(_finder)
    for name in [n for n in sys.modules if n.partition('.')[0] == finder.ROOT]:
        del sys.modules[name]
    from .bridge import take_back
    take_back()


install()
