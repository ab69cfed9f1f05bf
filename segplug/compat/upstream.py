"""Each fault of mmengine, mmcv or torch that is mended here, one small function each.

Every docstring says what fault, in which version, and which test in
``tests/compat/test_upstream.py`` shows that plain upstream still has it: when that test
fails, the mend can go. `apply` runs them all; running it twice changes nothing.
"""

import contextlib
import functools
import importlib
import warnings
from collections.abc import Callable, Iterable, Iterator

from .compiler import optimizers_without_compiler
from .config_text import config_text
from .distributions import clashing_distributions
from .sharding import import_later

__all__ = ['apply', 'clashing_distributions']


def apply(load: Callable, schemes: Iterable[str]) -> None:
    """Apply every mend.

    Args:
        load: (source, map_location) -> checkpoint, our safe loader.
        schemes: Prefixes of published names that ``load`` resolves.
    """
    optimizers_without_compiler()
    import_later()
    import_quietly('mmengine.runner')
    yaml_is_data()
    config_text_is_python()
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


def config_text_is_python() -> None:
    """Write configs as Python that says what they say.

    mmengine 0.10.7 puts keys into the Python text of a config as they are, so that a quote in one
    of a JSON file makes code of the rest, and ``lambda`` or ``class`` a SyntaxError that ends the
    training; ``inf`` and ``nan`` it writes as names that nobody has. Test:
    ``test_mmengine_writes_keys_as_code``.
    """
    from mmengine.config import Config

    def pretty_text(self) -> str:
        """The config as formatted Python."""
        text = config_text(self.to_dict())
        return _formatted(text) if self._format_python_code else text

    Config.pretty_text = property(pretty_text)


@functools.lru_cache(maxsize=4)
def _formatted(text: str) -> str:
    """Python as mmengine formats it. A training asks five times, for the log and for files."""
    from yapf.yapflib.yapf_api import FormatCode
    return FormatCode(text, style_config=dict(
        based_on_style='pep8', blank_line_before_nested_class_or_def=True,
        split_before_expression_after_opening_paren=True))[0]


_MOST_NODES = 1_000_000  # of a YAML file with what its references stand for


def yaml_is_data() -> None:
    """Read YAML by the safe loader, tuples included, which mmengine itself writes.

    mmengine 0.10.7 reads configs, class weights and annotations by ``yaml.CLoader``, which calls
    whatever function a file names. Test: ``test_mmengine_runs_what_yaml_names``. References that
    stand for more than any file says (nine of nine of nine ...), or for themselves, are refused.
    """
    import yaml
    from mmengine.fileio.handlers import yaml_handler

    class Loader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
        """PyYAML's safe loader, and ``!!python/tuple``."""

        def get_single_node(self):
            """The document; YAMLError where its references make it too large."""
            node = super().get_single_node()
            if _num_nodes(node, {}) > _MOST_NODES:
                raise yaml.YAMLError('its references stand for too much, or for themselves')
            return node

    Loader.add_constructor('tag:yaml.org,2002:python/tuple',
                           lambda loader, node: tuple(loader.construct_sequence(node)))
    yaml_handler.Loader = Loader


def _num_nodes(node, known: dict) -> int:
    """How many nodes there are in one, each as often as it is referred to."""
    inside = getattr(node, 'value', None)
    if not isinstance(inside, list):
        return 1
    if id(node) not in known:
        known[id(node)] = _MOST_NODES + 1  # what it counts while it is being counted
        parts = [part for item in inside for part in (item if isinstance(item, tuple) else [item])]
        known[id(node)] = 1 + sum(_num_nodes(part, known) for part in parts)
    return known[id(node)]
