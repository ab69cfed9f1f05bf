"""What a config asks for that is not here: components, arguments, values, each where it stands.

Every component is looked up and its arguments are compared, without building any; where nothing is
missing, the pipelines and, on torch's meta device, the model are built, which says the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mmengine.config import Config
from mmengine.registry import DefaultScope, Registry

from ... import registry as ours
from ...arguments import parameters
from ...errors import ConfigError, SegplugError, did_you_mean
from ..binary_checks import check_binary
from ..config_checks import check_classes, check_nested, check_top_level
from ..provenance import locate
from ..setting_checks import check_settings
from ..zoo import build_on_meta

# Which registry a key at the top is of; below it, another one by these keys.
_TOP = {
    'model': 'MODELS', 'data_preprocessor': 'MODELS', 'optim_wrapper': 'OPTIM_WRAPPERS',
    'param_scheduler': 'PARAM_SCHEDULERS', 'train_cfg': 'LOOPS', 'val_cfg': 'LOOPS',
    'test_cfg': 'LOOPS', 'val_evaluator': 'METRICS', 'test_evaluator': 'METRICS',
    'default_hooks': 'HOOKS', 'custom_hooks': 'HOOKS', 'visualizer': 'VISUALIZERS',
    'log_processor': 'LOG_PROCESSORS', 'train_dataloader': 'DATASETS',
    'val_dataloader': 'DATASETS', 'test_dataloader': 'DATASETS', 'tta_pipeline': 'TRANSFORMS'}
_BELOW = {
    'pipeline': 'TRANSFORMS', 'transforms': 'TRANSFORMS', 'optimizer': 'OPTIMIZERS',
    'vis_backends': 'VISBACKENDS', 'init_cfg': 'WEIGHT_INITIALIZERS',
    'collate_fn': 'FUNCTIONS', 'batch_sampler': 'DATA_SAMPLERS'}
# Whose keys are another library's, or are read elsewhere.
_OPEN_KEYS = ('norm_cfg', 'act_cfg', 'conv_cfg', 'metainfo', 'paramwise_cfg')


@dataclass(frozen=True)
class Finding:
    """Something that segplug does not support, or that a person has to do.

    Attributes:
        where: 'file:line', or '' where it is not known.
        what: One or two sentences.
    """

    where: str
    what: str


def unsupported(cfg: Config, is_whole: bool = True) -> list[Finding]:
    """What of a resolved config is not here.

    Args:
        is_whole: False where a base of it is missing, so that parts of it mean nothing.
    """
    found = []
    for registry, node in components(cfg):
        found += [Finding(_place(error, cfg), _told(error))
                  for error in _errors_of(node, registry)]
    if is_whole:
        found += _failure(cfg, lambda: check_top_level(cfg))
        found += _failure(cfg, lambda: check_nested(cfg))
    if is_whole and not found:
        for check in (lambda: check_settings(cfg), *_builds(cfg)):
            found += _failure(cfg, check)
    # A class that is not here is named once, where it is used first.
    return list({finding.what: finding for finding in reversed(found)}.values())[::-1]


def components(cfg: Config) -> Iterator[tuple[Registry, dict]]:
    """Every dict with a type, and the registry that it is built by."""
    for key, name in _TOP.items():
        yield from _inside(cfg._cfg_dict.get(key), name)


def _inside(node, name: str) -> Iterator[tuple[Registry, dict]]:
    if isinstance(node, Mapping):
        if isinstance(node.get('type'), str):
            yield getattr(ours, name), node
        for key, value in node.items():
            if key not in _OPEN_KEYS:
                yield from _inside(value, _registry_below(name, key))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _inside(value, name)


def _registry_below(name: str, key: str) -> str:
    if key == 'sampler':
        return 'TASK_UTILS' if name == 'MODELS' else 'DATA_SAMPLERS'
    return _BELOW.get(key, name)


def _errors_of(node: Mapping, registry: Registry) -> Iterator[ConfigError]:
    """Every unknown or wrong argument of a component; an unknown type alone.

    Parents hand arguments of their own to what they build, so that none is missing here.
    """
    # mmengine's constructor of wrappers takes these out.
    skipped = {'_delete_'} | ({'constructor', 'paramwise_cfg'}
                              if registry is ours.OPTIM_WRAPPERS else set())
    left = {key: value for key, value in node.items() if key not in skipped}
    while True:
        try:
            with DefaultScope.overwrite_default_scope(ours.SCOPE):
                taken = parameters(ours.resolve(node['type'], registry))
                ours.check_arguments(left, registry, dict.fromkeys(taken or ()))
            return
        except ConfigError as error:
            if error.component is None:
                error.component = dict(node)
            if error.culprit == node['type']:
                error.fix = _near(node['type'], registry)
            yield error
            if error.culprit not in left or error.culprit == 'type':
                return
            del left[error.culprit]


def _near(name: str, registry: ours.Registry) -> str:
    """The nearest names, of models segplug's own: torch's layers are no replacement for them."""
    known = registry.names() if registry is not ours.MODELS else [
        known for known, cls in registry.module_dict.items()
        if cls.__module__.split('.')[0] == ours.SCOPE]
    near = did_you_mean(name.rpartition('.')[2], known)
    return f'{f"{near}, or " if near else ""}name the module that registers it in custom_imports'


def _builds(cfg: Config) -> Iterator[Callable]:
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader') or {}
        for pipeline in _pipelines(loader.get('dataset')):
            yield lambda pipeline=pipeline: _compose(pipeline)
    if cfg.get('model'):
        yield lambda: check_classes(cfg)
        yield lambda: check_binary(cfg)
        yield lambda: build_on_meta(cfg)


def _pipelines(node) -> Iterator[list]:
    if isinstance(node, Mapping):
        if node.get('pipeline'):
            yield node['pipeline']
        for key in ('dataset', 'datasets'):
            yield from _pipelines(node.get(key))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _pipelines(value)


def _compose(pipeline: list) -> None:
    from ...datasets.pipeline import Pipeline
    with DefaultScope.overwrite_default_scope(ours.SCOPE):
        Pipeline(pipeline)


def _failure(cfg: Config, action: Callable) -> list[Finding]:
    try:
        action()
    except SegplugError as error:
        return [Finding(_place(error, cfg), _told(error))]
    return []


def _place(error: SegplugError, cfg: Config) -> str:
    if error.culprit is None and error.component is None:
        return ''
    return locate(error.culprit, cfg, component=error.component) or ''


def _told(error: SegplugError) -> str:
    """The error's sentence and its fix; what else was possible is too much for a list."""
    fix = '' if error.fix is None else f' To mend it: {error.fix}.'
    return f'{error.what}{fix}'
