"""Registries (scope ``segplug``, children of mmengine's) and plugin discovery.

Each registry knows the modules that fill it (``locations``), so a name is found without a
registration ritual. Building through them, or through mmengine's roots while the default
scope is ``segplug``, checks names and arguments first: a misspelt one is a `ConfigError`
that suggests the right one, instead of a KeyError or a TypeError deep inside.
"""

import functools
import importlib
import inspect
import logging
import os
from dataclasses import dataclass
from importlib import metadata

from mmengine import registry as upstream

from .errors import ConfigError, did_you_mean, nearest

SCOPE = 'segplug'
ENTRY_POINT_GROUP = 'segplug.plugins'

logger = logging.getLogger(__name__)


class Registry(upstream.Registry):
    """mmengine's registry, whose clashes name both packages."""

    def _register_module(self, module, module_name=None, force=False) -> None:
        if not module.__module__.startswith(f'{SCOPE}.'):
            # Ours come first, so that of two equal names it is the newcomer's that fails.
            self.import_from_location()
        names = module_name or module.__name__
        for name in [names] if isinstance(names, str) else names:
            old = self._module_dict.get(name)
            if old is not None and not force:
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


def _origin(obj) -> str:
    """'package version (module)' of a registered class, for messages."""
    module = getattr(obj, '__module__', '?')
    top = module.split('.')[0]
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
        if isinstance(cfg, dict):
            with registry.switch_scope_and_registry(cfg.get('_scope_')) as scoped:
                if scoped.scope == SCOPE:
                    check_arguments(cfg, scoped, default_args)
        return build(cfg, *args, registry=registry, **kwargs)

    build_checked.unchecked = build
    return build_checked


# Keys that mmengine's own build functions take out before the constructor sees them.
_CONSUMED = {'type', '_scope_', 'convert_to_iter_based', 'epoch_length'}


def check_arguments(cfg: dict, registry: upstream.Registry, default_args: dict | None = None):
    """Raise a `ConfigError` for an unknown type, an unknown argument or a missing one."""
    given = {**(default_args or {}), **cfg}
    if 'type' not in given:
        raise ConfigError(f'A {registry.name} has no type.', expected="a key 'type'",
                          got=f'only {sorted(map(str, cfg))}', culprit=next(iter(cfg), None),
                          fix=did_you_mean('type', map(str, cfg)) and "write 'type'")
    cls = given['type']
    if isinstance(cls, str):
        cls = resolve(cls, registry)
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):  # builtins without a signature cannot be checked
        return
    parameters = signature.parameters
    # By name, because importing mmengine's schedulers is slow.
    if '_ParamScheduler' in {base.__name__ for base in getattr(cls, '__mro__', ())}:
        parameters = _scheduler_parameters(cls)
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    known = [n for n, p in parameters.items() if p.kind is not p.VAR_POSITIONAL]
    shown = f'some of {", ".join(known)}' if known else 'no arguments'
    for key in cfg:
        if key not in known and key not in _CONSUMED:
            raise ConfigError(f'{cls.__name__} has no argument {key!r}.', expected=shown,
                              fix=did_you_mean(key, known), culprit=key)
    if 'convert_to_iter_based' in cfg:
        return
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in given
               and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if missing:
        raise ConfigError(f'{cls.__name__} needs the argument {missing[0]!r}.', expected=shown,
                          got=f'only {sorted(set(given) - {"type"})}', culprit=str(given['type']))


def _scheduler_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """mmengine's schedulers hand ``**kwargs`` on from a mixin to the class that names them all."""
    parameters = {}
    for base in cls.__mro__:
        own = dict(inspect.signature(base.__init__).parameters)
        parameters = {**own, **parameters}
        if all(p.kind is not p.VAR_KEYWORD for p in own.values()):
            break
    return {name: p for name, p in parameters.items()
            if name not in ('self', 'param_name') and p.kind not in (p.VAR_POSITIONAL,
                                                                     p.VAR_KEYWORD)}


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


def plugins_disabled() -> bool:
    """Whether ``SEGPLUG_NO_PLUGINS`` turns discovery off."""
    return os.environ.get('SEGPLUG_NO_PLUGINS', '') not in ('', '0')


def load_plugins() -> list[Plugin]:
    """Import every installed plugin once; a broken one is reported and skipped.

    An entry point names a module (imported) or a callable (called without arguments).
    ``SEGPLUG_NO_PLUGINS=1`` turns discovery off.
    """
    global _loaded
    if _loaded or plugins_disabled():
        return list(_plugins)
    _loaded = True
    for point in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name):
        dist = point.dist
        plugin = Plugin(point.name, point.value, dist.name if dist else '?',
                        dist.version if dist else '?')
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
                raise ConfigError(message, culprit=name, fix='run from the folder that holds it, '
                                  'or put that folder on PYTHONPATH') from error
            logger.warning(message)
