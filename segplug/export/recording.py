"""A module as a graph of operators whose sizes are numbers or symbols: `torch.export`."""

import contextlib
import io
import logging
import re
import warnings

import torch

from ..errors import ConfigError
from .graph import Graph
from .settings import Settings

LEAST_TORCH = (2, 6)  # the first whose torch.export takes a size as it comes
# Where a graph for any size is recorded, at least: a map of one cell would become one for good.
_LEAST_SIDE = 512


def example(graph: Graph, settings: Settings, multiple: int = 1) -> torch.Tensor:
    """What the graph is recorded with: zeros, of ``graph.num_images`` images."""
    sides = settings.shape
    if settings.dynamic:
        sides = [-(-max(side, _LEAST_SIDE) // multiple) * multiple for side in sides]
    shape = [graph.num_images, *[graph.channels] * 3]
    for dim, side in zip(settings.spatial, sides, strict=True):
        shape[dim] = side
    return torch.zeros(shape, dtype=torch.uint8 if settings.with_preprocess else torch.float32)


def record(graph: Graph, settings: Settings, multiple: int = 1):
    """The `torch.export.ExportedProgram` of a graph.

    Raises:
        ConfigError: It cannot be recorded, or not for any size.
    """
    check_torch(settings)
    dims = dict.fromkeys(settings.any_dims, torch.export.Dim.DYNAMIC)
    try:
        with quiet(), _any_size(), torch.no_grad():
            image = example(graph, settings, multiple)
            program = torch.export.export(graph, (image,), dynamic_shapes=(dims or None,),
                                          strict=False)
    except Exception as error:  # the code of a model may do whatever torch.export has no word for
        raise cannot(settings, error) from error
    for node in program.graph.nodes:  # paths of the machine that it was made on
        node.meta.pop('stack_trace', None)
    return program


def check_torch(settings: Settings) -> None:
    """Raise a ConfigError for a torch that is too old."""
    found = tuple(int(part) for part in torch.__version__.split('.')[:2])
    if settings.format != 'torchscript' and found < LEAST_TORCH:
        raise ConfigError(f'--format {settings.format} needs torch {LEAST_TORCH[0]}.'
                          f'{LEAST_TORCH[1]} or newer.', got=torch.__version__,
                          fix='take --format torchscript, or update torch')


def cannot(settings: Settings, error: BaseException) -> ConfigError:
    """One sentence for whatever an exporter raised."""
    sizes = ' for images of any size' if settings.dynamic else ''
    plain = re.sub(r'\x1b\[\d*m', '', str(error))  # without colours
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    told = ' '.join(lines[:2])[:300] or 'it says no more'
    fix = ', or '.join(filter(None, (settings.away, 'take another --format')))
    return ConfigError(f'This model cannot be exported as {settings.format}{sizes}.',
                       got=f'{type(error).__name__}: {told}'.rstrip('.'), fix=fix)


@contextlib.contextmanager
def quiet():
    """Without the notes of exporters, and the graphs that they print, all about their inside."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)


def _any_size():
    """Record no branch on whether a size is one, which is a case of its own for torch otherwise."""
    from torch.fx.experimental import _config
    if not hasattr(_config, 'backed_size_oblivious'):  # before torch 2.7
        return contextlib.nullcontext()
    return _config.patch(backed_size_oblivious=True)
