"""Training and testing: the runner, its loops, and all that a run needs to be exact."""

from ..compat import upstream
from .checkpoint import load_checkpoint
from .pretrained import SCHEMES

upstream.apply(load_checkpoint, SCHEMES)

from . import (  # noqa: E402  (mended first)
    amp,
    hooks,
    layer_decay,
    log,
    loops,
    sampling,
    weight_init,
)
from .runner import Runner  # noqa: E402

__all__ = ['Runner', 'amp', 'hooks', 'layer_decay', 'log', 'loops', 'sampling', 'weight_init']
