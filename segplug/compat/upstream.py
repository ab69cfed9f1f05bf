"""Each fault of mmengine, mmcv or torch that is mended here, one small function each.

Every docstring says what fault, in which version, and which test in
``tests/compat/test_upstream.py`` shows that plain upstream still has it: when that test
fails, the mend can go. `apply` runs them all; running it twice changes nothing.
"""

import contextlib
import importlib
import warnings
from collections.abc import Callable, Iterable, Iterator

from .distributions import clashing_distributions

__all__ = ['apply', 'clashing_distributions']


def apply(load: Callable, schemes: Iterable[str]) -> None:
    """Apply every mend.

    Args:
        load: (source, map_location) -> checkpoint, our safe loader.
        schemes: Prefixes of published names that ``load`` resolves.
    """
    import_quietly('torch.distributed.optim')
    import_quietly('mmengine.runner')
    yaml_is_data()
    load_everything_with(load, schemes)


@contextlib.contextmanager
def _no_deprecations() -> Iterator[None]:
    """Deprecations are dropped, also those that torch issues past every filter; others stay."""
    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter('ignore', DeprecationWarning)
        yield
    for other in met:
        if not issubclass(other.category, DeprecationWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)


def import_quietly(module: str) -> None:
    """Import a module that uses what Python or torch calls deprecated.

    ``torch.distributed.optim``, which mmengine 0.10.7 and mmcv 2.2.0 import: torch 2.9 to 2.13
    script functions there with the deprecated ``torch.jit.script``, and torch 2.4 says on stderr
    that this part of it is deprecated, whatever the filters. ``mmengine.runner`` gives
    ``re.split`` its third argument by position, deprecated in Python 3.13. With warnings as errors
    the imports fail. Tests: ``test_torch_distributed_optim_warns``, ``test_mmengine_runner_warns``.
    """
    with _no_deprecations():
        importlib.import_module(module)


def load_everything_with(load: Callable, schemes: Iterable[str]) -> None:
    """Send every checkpoint that mmengine loads through our loader.

    mmengine 0.10.7 calls ``torch.load`` without ``weights_only`` (code runs with torch < 2.6,
    its own files fail with torch >= 2.6), asks torchvision for the addresses of
    ``torchvision://`` names, and checks no hash. Test: ``test_mmengine_loads_by_torch_load``.
    """
    from mmengine.runner import checkpoint as upstream

    def load_from_segplug(filename, map_location=None):
        loaded = load(filename, map_location)
        if filename.startswith('mmcls://'):
            return upstream._process_mmcls_checkpoint(loaded)
        return loaded

    for prefix in {*upstream.CheckpointLoader._schemes, *schemes}:
        upstream.CheckpointLoader.register_scheme(prefix, load_from_segplug, force=True)


def yaml_is_data() -> None:
    """Read YAML by the safe loader, tuples included, which mmengine itself writes.

    mmengine 0.10.7 reads configs, class weights and annotations by ``yaml.CLoader``, which calls
    whatever function a file names. Test: ``test_mmengine_runs_what_yaml_names``.
    """
    import yaml
    from mmengine.fileio.handlers import yaml_handler

    class Loader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
        """PyYAML's safe loader, and ``!!python/tuple``."""

    Loader.add_constructor('tag:yaml.org,2002:python/tuple',
                           lambda loader, node: tuple(loader.construct_sequence(node)))
    yaml_handler.Loader = Loader
