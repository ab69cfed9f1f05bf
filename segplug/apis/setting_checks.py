"""Settings that are read without a registry, whose slips would pass unsaid or fail much later.

What the runner takes, data loaders, the options of an optimizer wrapper, default hooks: keys and
types of values are checked before anything is built.
"""

import inspect
from collections.abc import Iterable, Mapping

from mmengine.config import Config

from .. import arguments
from ..errors import ConfigError, did_you_mean
from ..registry import DATASETS, OPTIMIZERS, check_values, resolve
from .config_checks import DATALOADERS, datasets, slip_of

PARAMWISE_KEYS = ('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult',
                  'flat_decay_mult', 'dwconv_decay_mult', 'dcn_offset_lr_mult',
                  'bypass_duplicate')
CUSTOM_KEYS = ('lr_mult', 'decay_mult')
DEFAULT_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler',
                 'checkpoint', 'val_loss', 'visualization', 'finite_loss', 'heartbeat', 'stop')
# What mmsegmentation before 1.0 calls the folders.
_OLD_PREFIXES = dict(img_dir='img_path', ann_dir='seg_map_path', ann_path='seg_map_path',
                     label_path='seg_map_path', seg_path='seg_map_path')
# Of ours, which mmengine's annotation does not know.
_RESUME = (True, False, 'auto')


def check_settings(cfg: Config) -> None:
    """Raise for an unknown key or a value of a wrong type in what no registry builds.

    Raises:
        ConfigError: With the nearest right keys, or what the setting takes.
    """
    _check_runner(cfg)
    for name in DATALOADERS:
        if cfg.get(name):
            _check_loader(name, cfg[name])
    for _, dataset in datasets(cfg):
        _check_prefixes(dataset)
        _check_steps(dataset.get('pipeline'))
    if cfg.get('optim_wrapper'):
        _check_optim_wrapper(cfg.optim_wrapper)
    _refuse_slips('default_hooks', cfg.get('default_hooks') or {}, DEFAULT_HOOKS)
    _check_types(cfg)


def _check_types(cfg: Config) -> None:
    """What mmengine builds has a type, or it is made already; it looks only when it is needed."""
    if cfg.get('train_cfg') and not {'type', 'by_epoch'} & set(cfg.train_cfg):
        raise ConfigError('train_cfg has neither a type nor by_epoch.', got=dict(cfg.train_cfg),
                          component=cfg.train_cfg, fix="add type='IterBasedTrainLoop'")
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    schedulers = cfg.get('param_scheduler') or []
    if isinstance(schedulers, Mapping) and 'type' not in schedulers:
        schedulers = [one for many in schedulers.values()
                      for one in (many if isinstance(many, (list, tuple)) else [many])]
    elif isinstance(schedulers, Mapping):
        schedulers = [schedulers]
    for what, parts in (('hook', hooks), ('parameter scheduler', schedulers)):
        for part in parts:
            if isinstance(part, Mapping) and 'type' not in part:
                raise ConfigError(f'A {what} has no type.', got=dict(part), component=part,
                                  fix=did_you_mean('type', part) and "write 'type'")
            if isinstance(part, (str, int, float, list, tuple)):
                raise ConfigError(f'A {what} is no dict.', got=repr(part), culprit=str(part),
                                  expected="dict(type='...')")


def _check_runner(cfg: Config) -> None:
    from mmengine.runner import Runner
    for name, parameter in arguments.parameters(Runner).items():
        if name == 'cfg' or name not in cfg or (name == 'resume' and cfg.resume in _RESUME):
            continue
        _check_value(name, cfg[name], arguments.wrong_value(Runner, parameter, cfg[name]),
                     cfg._cfg_dict)


def _check_loader(name: str, loader: Mapping) -> None:
    from torch.utils.data import DataLoader
    for key, parameter in arguments.parameters(DataLoader).items():
        if key in loader:
            _check_value(f'{name}.{key}', loader[key],
                         arguments.wrong_value(DataLoader, parameter, loader[key]), loader)
    for key in ('dataset', 'sampler', 'batch_sampler', 'collate_fn'):
        if isinstance(loader.get(key), (str, int, float, list, tuple)):
            _check_value(f'{name}.{key}', loader[key], 'a dict with a type', loader)


def _check_prefixes(dataset: Mapping) -> None:
    """A set without labels may be tested, so that a misspelt one would have none, unsaid."""
    kind = dataset.get('type')
    cls = resolve(kind, DATASETS) if isinstance(kind, str) else kind
    parameter = (cls and arguments.parameters(cls) or {}).get('data_prefix')
    given = dataset.get('data_prefix')
    if parameter is None or not isinstance(parameter.default, Mapping):
        return
    _refuse_slips('data_prefix', given, parameter.default)
    for key in _OLD_PREFIXES.keys() & (given.keys() if isinstance(given, Mapping) else ()):
        raise ConfigError(f'data_prefix has no key {key!r}.', culprit=key, component=given,
                          expected=', '.join(parameter.default),
                          fix=f'did you mean {_OLD_PREFIXES[key]!r}')


def _check_steps(pipeline) -> None:
    for step in pipeline if isinstance(pipeline, (list, tuple)) else ():
        if isinstance(step, (str, int, float, list, tuple)):
            raise ConfigError('A step of a pipeline is no dict.', got=repr(step),
                              culprit=str(step), expected="dict(type='...')")


def _check_value(name: str, value, expected: str | None, component: Mapping) -> None:
    if expected is not None:
        raise ConfigError(f'{name} has a value of a wrong type.', culprit=name.split('.')[-1],
                          got=f'{value!r}, of type {type(value).__name__}', expected=expected,
                          component=component)


def _check_optim_wrapper(wrapper: Mapping) -> None:
    if isinstance(wrapper.get('clip_grad'), Mapping):
        _check_clipping(wrapper['clip_grad'])
    paramwise = wrapper.get('paramwise_cfg')
    if paramwise is not None:
        _check_kind('paramwise_cfg', paramwise, Mapping, wrapper)
    own = wrapper.get('constructor') in (None, 'DefaultOptimWrapperConstructor')
    if not isinstance(paramwise, Mapping) or not own:
        return
    for key in paramwise:
        if key not in PARAMWISE_KEYS:
            raise ConfigError(f'paramwise_cfg has no key {key!r}.', culprit=key,
                              expected=', '.join(PARAMWISE_KEYS), component=paramwise,
                              fix=did_you_mean(key, PARAMWISE_KEYS))
        if key != 'custom_keys':
            _check_kind(key, paramwise[key], float, paramwise)
    custom = paramwise.get('custom_keys') or {}
    _check_kind('custom_keys', custom, Mapping, paramwise)
    kind = (wrapper.get('optimizer') or {}).get('type')
    known = [*CUSTOM_KEYS, *(arguments.parameters(resolve(kind, OPTIMIZERS)) or {}
                             if isinstance(kind, str) else {})]
    for name, group in custom.items():
        _check_kind(name, group, Mapping, custom)
        _refuse_slips(f'custom_keys[{name!r}]', group, known)
        for key in {*CUSTOM_KEYS} & {*group}:
            _check_kind(key, group[key], float, group)


def _check_kind(name: str, value, kind: type, component: Mapping) -> None:
    if not arguments.fits(value, kind):
        _check_value(name, value, 'a dict' if kind is Mapping else 'a number', component)


def _check_clipping(clip: Mapping) -> None:
    from torch.nn.utils import clip_grad_norm_, clip_grad_value_
    kind = clip.get('type', 'norm')
    functions = {'norm': clip_grad_norm_, 'value': clip_grad_value_}
    if kind not in functions:
        raise ConfigError('clip_grad has an unknown type.', got=repr(kind), culprit=str(kind),
                          expected=' or '.join(map(repr, functions)), component=clip,
                          fix=did_you_mean(str(kind), functions))
    function = inspect.unwrap(functions[kind])
    taken = arguments.parameters(function)
    taken.pop('parameters')
    try:
        check_values(clip, function, taken, ('type',))
    except ConfigError as error:
        error.component = clip
        raise


def _refuse_slips(name: str, node: Mapping, known: Iterable[str]) -> None:
    """Other keys than the known ones are free, unless they look like one of them misspelt."""
    for key in node if isinstance(node, Mapping) else ():
        meant = slip_of(key, known)
        if meant is not None:
            raise ConfigError(f'{name} has no key {key!r}.', culprit=key, component=node,
                              expected=', '.join(known), fix=f'did you mean {meant!r}')
