"""Registries (scope ``segplug``, children of mmengine's) and plugin discovery.

Each registry knows the modules that fill it (``locations``), so a name is found without a
registration ritual. Building through them, or through mmengine's roots while the default
scope is ``segplug``, checks names and arguments first: a misspelt one is a `ConfigError`
that suggests the right one, instead of a KeyError or a TypeError deep inside.
"""

import functools
import importlib
import logging
import re
import traceback
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata

from mmengine import registry as upstream

from . import arguments
from .discovery import COMPONENTS, entry_points, plugins_disabled
from .errors import ConfigError, SegplugError, did_you_mean, nearest

SCOPE = 'segplug'

logger = logging.getLogger(__name__)


class Registry(upstream.Registry):
    """mmengine's registry, whose clashes name both packages.

    Attributes:
        gives_way: Whether a name of segplug's own may be taken by a newcomer; none is, unless
            `segplug.compat.mmseg` lends mmsegmentation's names, which are fewer.
    """

    gives_way = staticmethod(lambda name: False)

    def _register_module(self, module, module_name=None, force=False) -> None:
        if not module.__module__.startswith(f'{SCOPE}.'):
            # Ours come first, so that of two equal names it is the newcomer's that fails.
            self.import_from_location()
        names = module_name or module.__name__
        for name in [names] if isinstance(names, str) else names:
            old = self._module_dict.get(name)
            if old is not None and _top(old) == SCOPE != _top(module) and self.gives_way(name):
                logger.warning('%s takes the name %r of %s.', _origin(module), name, _origin(old))
                del self._module_dict[name]
            elif old is not None and not force:
                raise ConfigError(
                    f'Two packages register {name!r} as a {self.name}: {_origin(old)} and '
                    f'{_origin(module)}.',
                    fix='rename one of them, uninstall one package, or register with force=True '
                        'to replace the other on purpose', culprit=name)
        super()._register_module(module, module_name, force)

    def names(self) -> list[str]:
        """Every name that can be built here: ours, the plugins' and mmengine's."""
        self.import_from_location()
        found, registry = set(), self
        while registry is not None:
            found.update(registry._module_dict)
            registry = registry.parent
        return sorted(found)


def _top(obj) -> str:
    """The package that a registered class is of."""
    return getattr(obj, '__module__', '?').split('.')[0]


def _origin(obj) -> str:
    """'package version (module)' of a registered class, for messages."""
    module, top = getattr(obj, '__module__', '?'), _top(obj)
    try:
        version = metadata.version(metadata.packages_distributions().get(top, [top])[0])
    except metadata.PackageNotFoundError:
        version = 'not installed as a package'
    return f'{top} {version} ({module})'


def _child(name: str, *locations: str) -> Registry:
    root = getattr(upstream, name)
    registry = Registry(root.name, parent=root, scope=SCOPE, locations=list(locations))
    root.build_func = _checked(root.build_func)
    registry.build_func = root.build_func
    return registry


def _checked(build):
    """Wrap a build function so that names and arguments are checked before anything is made."""
    if hasattr(build, 'unchecked'):
        return build

    @functools.wraps(build)
    def build_checked(cfg, *args, registry, **kwargs):
        default_args = args[0] if args else kwargs.get('default_args')
        # mmengine makes a sequence of a list of models.
        if cfg is None or isinstance(cfg, (str, int, float)) or (
                isinstance(cfg, (list, tuple)) and registry.name != 'model'):
            raise ConfigError(f'A {registry.name} is described by a dict with a type.',
                              got=f'{cfg!r}, which is {_a(type(cfg).__name__)}',
                              culprit=None if cfg is None else str(cfg))
        if isinstance(cfg, dict):
            with registry.switch_scope_and_registry(cfg.get('_scope_')) as scoped:
                if scoped.scope == SCOPE:
                    with _of_component(cfg), _settings_that_fit(cfg, scoped, default_args):
                        check_arguments(cfg, scoped, default_args)
                        return build(cfg, *args, registry=registry, **kwargs)
        return build(cfg, *args, registry=registry, **kwargs)

    build_checked.unchecked = build
    return build_checked


# Keys that mmengine's own build functions take out before the constructor sees them.
_CONSUMED = {'type', '_scope_', 'convert_to_iter_based', 'epoch_length'}
# Parts of a component that mmcv and mmengine build without a registry, or much later: the name
# of their registry, and the keys that are taken out before their constructor sees them.
_PARTS = {'norm_cfg': ('MODELS', {'requires_grad'}), 'conv_cfg': ('MODELS', set()),
          'init_cfg': ('WEIGHT_INITIALIZERS', {'override'})}


def check_arguments(cfg: dict, registry: upstream.Registry, default_args: dict | None = None):
    """Raise a `ConfigError` for an unknown type, an unknown, missing or wrong argument."""
    given = {**(default_args or {}), **cfg}
    if 'type' not in given:
        raise ConfigError(f'A {registry.name} has no type.', expected="a key 'type'",
                          got=f'only {sorted(map(str, cfg))}', culprit=next(iter(cfg), None),
                          fix=did_you_mean('type', map(str, cfg)) and "write 'type'")
    cls = _class(given['type'], registry)
    taken = arguments.parameters(cls)
    if taken is None:
        return
    check_values(cfg, cls, taken, _CONSUMED)
    _check_parts(cfg, cls)
    if 'convert_to_iter_based' in cfg:
        return
    missing = [n for n, p in taken.items() if p.default is p.empty and n not in given]
    if missing:
        raise ConfigError(f'{cls.__name__} needs the argument {missing[0]!r}.',
                          expected=arguments.written(cls, taken),
                          got=f'only {sorted(set(given) - {"type"})}', culprit=str(given['type']))


def check_values(cfg: dict, cls, taken: dict, more: Iterable[str] = ()) -> None:
    """Raise a `ConfigError` for an argument that ``cls`` does not take, or a value of a wrong type.

    Args:
        cfg: Arguments by name.
        cls: Class or function, for messages.
        taken: Its parameters by name.
        more: Names that somebody else takes out before.
    """
    for key, value in cfg.items():
        if key in more:
            continue
        if key not in taken:
            raise ConfigError(f'{cls.__name__} has no argument {key!r}.', culprit=str(key),
                              expected=arguments.written(cls, taken),
                              fix=did_you_mean(str(key), [*taken, *more, 'type']))
        expected = arguments.wrong_value(cls, taken[key], value)
        if expected is not None:
            raise ConfigError(f'The argument {key!r} of {cls.__name__} has a value of a wrong '
                              'type.', got=f'{value!r}, which is {_a(type(value).__name__)}',
                              expected=f'{expected}, in {arguments.written(cls, taken)}',
                              culprit=key)


def _a(name: str) -> str:
    """With its article: 'an int'; dicts of a config are dicts."""
    name = 'dict' if name == 'ConfigDict' else name
    return f'{"an" if name[0] in "aeiou" else "a"} {name}'


def _check_parts(cfg: dict, cls) -> None:
    if cls.__module__.split('.')[0] not in (SCOPE, 'mmcv', 'mmengine'):
        return  # others may mean something else by these names
    for key in _PARTS.keys() & cfg.keys():
        name, more = _PARTS[key]
        parts = cfg[key] if isinstance(cfg[key], (list, tuple)) else [cfg[key]]
        for part in parts:
            if isinstance(part, dict):
                with _of_component(part):
                    _check_part(part, globals()[name], more)


def _check_part(part: dict, registry: 'Registry', more: set[str]) -> None:
    if 'type' not in part:
        check_arguments(part, registry)
    cls = _class(part['type'], registry)
    taken = arguments.parameters(cls)
    if taken is not None:
        check_values(part, cls, taken, _CONSUMED | more)


def _class(kind, registry: upstream.Registry):
    if isinstance(kind, str):
        return resolve(kind, registry)
    if not callable(kind):
        raise ConfigError(f'The type of a {registry.name} is no name.', culprit='type',
                          got=f'{kind!r}, which is {_a(type(kind).__name__)}',
                          expected='the name of a class, or a class')
    return kind


@contextmanager
def _of_component(cfg: dict):
    """Errors inside name ``cfg`` as the part of the config at fault, the innermost one."""
    component = dict(cfg)
    try:
        yield
    except SegplugError as error:
        if error.component is None:
            error.component = component
        raise


_LONGEST_TEXT = 300
# What a constructor raises when its settings do not fit; not what files and memory raise.
_MISFITS = (TypeError, ValueError, LookupError, AttributeError, AssertionError, ArithmeticError,
            RuntimeError)


@contextmanager
def _settings_that_fit(cfg: dict, registry: upstream.Registry, default_args: dict | None):
    """Turn what a constructor raises into a `ConfigError` that says where, and what it takes."""
    try:
        yield
    except SegplugError:
        raise
    except _MISFITS as error:
        if type(error).__name__ == 'OutOfMemoryError':
            raise
        kind = cfg.get('type') or (default_args or {}).get('type')
        cls = registry.get(kind) if isinstance(kind, str) else kind
        taken = arguments.parameters(cls)
        told = _told(cls.__name__, error, str(kind))
        told.expected = arguments.written(cls, taken) if taken else None
        raise told from error


def _told(name: str, error: Exception, culprit: str | None = None) -> ConfigError:
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = ' '.join(str(error).split())
    text = text if len(text) <= _LONGEST_TEXT else f'{text[:_LONGEST_TEXT]} ...'
    unknown = re.search(r"unexpected keyword argument '(\w+)'", text)
    return ConfigError(
        f'{name} cannot be made of its settings: {type(error).__name__}'
        f'{": " if text else ""}{text.rstrip(".")} (raised in {last.filename}:{last.lineno}).',
        culprit=unknown[1] if unknown else culprit)


@contextmanager
def made_of_settings(name: str):
    """What is raised inside, where ``name`` is made, is a `ConfigError` that says so.

    For what reads settings that no registry checks; a `RuntimeError` may be the machine's.
    """
    try:
        yield
    except SegplugError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, AssertionError,
            SyntaxError) as error:
        raise _told(name, error) from error


def resolve(name: str, registry: upstream.Registry):
    """The class behind ``name``, or a `ConfigError` with the nearest names."""
    try:
        cls = registry.get(name)
    except RuntimeError:
        cls = None
    if cls is not None:
        return cls
    names = registry.names() if isinstance(registry, Registry) else sorted(registry.module_dict)
    broken = [f'the plugin {p.name!r} failed to load ({p.error})' for p in _plugins if p.error]
    fix = did_you_mean(name, names)
    if broken:
        fix = '; '.join([*([fix] if fix else []), *broken])
    raise ConfigError(
        f'{name!r} is not a known {registry.name}.', culprit=name, fix=fix,
        expected=f'one of {len(names)} names, such as '
                 f'{", ".join(nearest(name, names, 5) or names[:10])}' if names else None)


RUNNERS = _child('RUNNERS', 'segplug.engine')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS')
LOOPS = _child('LOOPS', 'segplug.engine')
HOOKS = _child('HOOKS', 'segplug.engine')
STRATEGIES = _child('STRATEGIES')
DATASETS = _child('DATASETS', 'segplug.datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'segplug.engine')
TRANSFORMS = _child('TRANSFORMS', 'segplug.datasets.transforms')
MODELS = _child('MODELS', 'segplug.models')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS', 'segplug.engine')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'segplug.engine')
OPTIMIZERS = _child('OPTIMIZERS')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'segplug.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS', 'segplug.engine')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS', 'segplug.engine')
METRICS = _child('METRICS', 'segplug.evaluation')
EVALUATOR = _child('EVALUATOR', 'segplug.evaluation')
TASK_UTILS = _child('TASK_UTILS', 'segplug.models')
VISUALIZERS = _child('VISUALIZERS', 'segplug.visualization')
VISBACKENDS = _child('VISBACKENDS', 'segplug.visualization')
LOG_PROCESSORS = _child('LOG_PROCESSORS', 'segplug.engine')
INFERENCERS = _child('INFERENCERS')
FUNCTIONS = _child('FUNCTIONS', 'segplug.engine')


@dataclass
class Plugin:
    """One entry point of the group ``segplug.plugins`` and what became of it."""

    name: str
    target: str
    package: str
    version: str
    error: str | None = None


_plugins: list[Plugin] = []
_loaded = False


def load_plugins() -> list[Plugin]:
    """Import every installed plugin once; a broken one is reported and skipped.

    An entry point names a module (imported) or a callable (called without arguments).
    ``SEGPLUG_NO_PLUGINS=1`` turns discovery off.
    """
    global _loaded
    if _loaded or plugins_disabled():
        return list(_plugins)
    _loaded = True
    for point, package, version in entry_points(COMPONENTS):
        plugin = Plugin(point.name, point.value, package, version)
        try:
            target = point.load()
            if callable(target):
                target()
        except (Exception, SystemExit) as error:  # a third party's code may raise anything
            plugin.error = f'{type(error).__name__}: {error}'
            logger.warning('Plugin %s (%s %s) is skipped: %s', plugin.name, plugin.package,
                           plugin.version, plugin.error)
        _plugins.append(plugin)
    return list(_plugins)


def import_custom(modules: list[str], allow_failed: bool = False) -> None:
    """Import the modules of a config's ``custom_imports``; project-local files included."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            message = f'custom_imports names {name!r}, which cannot be imported: {error}.'
            if not allow_failed:
                raise ConfigError(message, culprit=name, fix=_lent_by(error) or 'run from the '
                                  'folder that holds it, or put that folder on PYTHONPATH'
                                  ) from error
            logger.warning(message)


def _lent_by(error: ImportError) -> str | None:
    """What to do where mmsegmentation is what cannot be imported."""
    if (error.name or '').partition('.')[0] != 'mmseg':
        return None
    if error.name == 'mmseg':
        return ("write custom_imports = dict(imports=['segplug.compat.mmseg', ...]), which lends "
                "mmsegmentation's names to what comes after it; `segplug migrate CONFIG` does so")
    return f"change the import of {error.name}, which mmsegmentation 1.2.2 does not have, either"
