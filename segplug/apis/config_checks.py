"""What can be said of a config before it is built: misspelt keys, missing parts, class counts."""

import ast
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec

from mmengine.config import Config
from mmengine.fileio import load
from mmengine.registry import MODELS as ROOT

from .. import arguments
from ..datasets.classes import find_table
from ..errors import ConfigError, did_you_mean
from ..registry import DATASETS, MODELS, resolve
from .places import config_files
from .provenance import nodes

# What the runner and the commands read at the top of a config. Other names are the author's own
# variables, unless they look like one of these misspelt.
TOP_LEVEL_KEYS = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg',
    'val_cfg', 'test_cfg', 'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator',
    'test_evaluator', 'default_hooks', 'custom_hooks', 'data_preprocessor', 'load_from', 'resume',
    'launcher', 'env_cfg', 'log_processor', 'log_level', 'visualizer', 'default_scope',
    'randomness', 'experiment_name', 'sync_bn', 'find_unused_parameters', 'model_wrapper_cfg',
    'custom_imports', 'aug_test_cfg', 'speed', 'load_cfg', 'compile', 'runner_type',
    'activation_checkpointing', 'efficient_conv_bn_eval')

# The keys that are read below them, by dotted name, and what they take.
NESTED_KEYS = {
    'randomness': dict(seed=int, diff_rank_seed=bool, deterministic=bool),
    'env_cfg': dict(cudnn_benchmark=bool, mp_cfg=dict, dist_cfg=dict, resource_limit=int,
                    num_threads=int | str, test_num_threads=int),
    'speed': dict(amp=object, channels_last=object, compile=object),  # said by `Speed`
    'load_cfg': dict.fromkeys(('floor', 'strict', 'ema', 'key', 'key_map', 'revise_keys'), object),
    'env_cfg.mp_cfg': dict(mp_start_method=str, opencv_num_threads=int),
    'env_cfg.dist_cfg': dict(backend=str, timeout=float, port=int | str, silence=float),
    'auto_scale_lr': dict(enable=bool, base_batch_size=int)}
# What mmsegmentation before 1.0 read at the top of a config, and what says it now.
OLD_KEYS = {
    'data': 'train_dataloader, val_dataloader and test_dataloader',
    'evaluation': 'train_cfg.val_interval and val_evaluator',
    'optimizer': 'optim_wrapper.optimizer', 'optimizer_config': 'optim_wrapper.clip_grad',
    'lr_config': 'param_scheduler', 'momentum_config': 'param_scheduler',
    'runner': 'train_cfg', 'total_iters': 'train_cfg.max_iters',
    'total_epochs': 'train_cfg.max_epochs', 'checkpoint_config': 'default_hooks.checkpoint',
    'log_config': 'default_hooks.logger', 'resume_from': 'load_from with resume=True'}
# What other programs call these, no misspelling of them.
OTHER_NAMES = {
    **{f'{split}{word}': f'{split}_dataloader' for split in ('train', 'val', 'test')
       for word in ('_loader', 'loader', '_data_loader')},
    **{f'{split}_{word}': f'{split}_evaluator' for split in ('val', 'test')
       for word in ('metric', 'metrics')},
    **dict.fromkeys(('optim', 'optimiser', 'optimizer_wrapper'), 'optim_wrapper'),
    **dict.fromkeys(('scheduler', 'schedulers', 'lr_scheduler', 'lr_schedule',
                     'learning_rate_scheduler'), 'param_scheduler'),
    'hooks': 'custom_hooks', 'train_config': 'train_cfg', 'val_config': 'val_cfg',
    'test_config': 'test_cfg'}
LOG_LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def dataset_nodes(cfg: Config) -> Iterator[tuple[str, str, dict]]:
    """Each (data-loader key, dotted key, innermost data-set dict) of a config, wrapped ones too."""

    def leaves(node, place: str):
        inner = [key for key in ('dataset', 'datasets') if key in node]
        for key in inner:
            if isinstance(node[key], (list, tuple)):
                for i, child in enumerate(node[key]):
                    yield from leaves(child, f'{place}.{key}.{i}')
            else:
                yield from leaves(node[key], f'{place}.{key}')
        if not inner:
            yield place, node

    for loader in DATALOADERS:
        if cfg.get(loader) and isinstance(cfg[loader].get('dataset'), dict):
            for place, leaf in leaves(cfg[loader]['dataset'], f'{loader}.dataset'):
                yield loader, place, leaf


def datasets(cfg: Config) -> Iterator[tuple[str, dict]]:
    """Each (data-loader key, innermost data-set dict) of a config, wrapped ones too."""
    for loader, _, leaf in dataset_nodes(cfg):
        yield loader, leaf


def check_top_level(cfg: Config) -> None:
    """Raise for a top-level key that is a known one misspelt, whether that one is set or not, or
    one of mmsegmentation 0.x."""
    slips = {key: f'did you mean {meant!r}' for key in cfg
             if (meant := slip_of(key, TOP_LEVEL_KEYS))}
    slips |= {key: f'did you mean {meant!r}' for key, meant in OTHER_NAMES.items()
              if key in cfg and key not in _dumped(cfg, OTHER_NAMES)}
    slips |= {key: f'since mmsegmentation 1.0 that is {now}; `segplug migrate` rewrites a config'
              for key, now in OLD_KEYS.items() if key in cfg and key not in _dumped(cfg, OLD_KEYS)}
    if not slips:
        return
    own = _names_read(cfg)
    for key, fix in slips.items():
        if key not in own:
            raise ConfigError(f'The config sets {key!r}, which nothing reads.', culprit=key,
                              fix=fix, component=cfg._cfg_dict)


def check_nested(cfg: Config) -> None:
    """Raise for an unknown key or value that would be left unread, or fail deep inside."""
    for name, known in NESTED_KEYS.items():
        node = cfg._cfg_dict
        for part in name.split('.'):
            node = node.get(part) or {}
            if not isinstance(node, Mapping):
                raise ConfigError(f'{name} is no dict.', got=repr(node), culprit=part,
                                  expected=f'a dict of {", ".join(known)}')
        for key, value in node.items():
            if key not in known:
                raise ConfigError(f'{name} has no key {key!r}.', expected=', '.join(known),
                                  fix=did_you_mean(key, known), culprit=key, component=node)
            if not arguments.fits(value, known[key]):
                raise ConfigError(f'{name}.{key} has a value of a wrong type.', culprit=key,
                                  got=repr(value), expected=arguments.as_text(known[key]),
                                  component=node)
    level = cfg.get('log_level', 'INFO')
    if isinstance(level, str) and level not in LOG_LEVELS:
        raise ConfigError('log_level has an unknown value.', got=level, culprit=level,
                          expected=', '.join(LOG_LEVELS))
    if not isinstance(cfg.get('compile', False), (bool, Mapping)):
        raise ConfigError('compile is neither a dict nor True or False.', got=repr(cfg.compile),
                          expected="the arguments of torch.compile, as dict(backend='inductor')",
                          culprit='compile', component=cfg._cfg_dict)
    _check_scope(cfg.get('default_scope'))


def _dumped(cfg: Config, renamed: dict[str, str]) -> set[str]:
    """Old names that a file sets beside what has replaced them: mmengine writes the variables of
    a config down with all else, of which ``optimizer`` is a usual one."""
    written: dict[object, set[str]] = {}
    for file, node in nodes(cfg):
        if isinstance(node, ast.Assign):
            written.setdefault(file, set()).update(
                target.id for target in node.targets if isinstance(target, ast.Name))
    for file in config_files(cfg.filename) if cfg.filename else ():
        if file.suffix != '.py':
            written[file] = set(load(str(file)))
    return {old for names in written.values() for old, now in renamed.items()
            if {old, now.partition('.')[0]} <= names}


def _check_scope(scope) -> None:
    """mmengine says of an unknown scope that the first component is not registered."""
    known = ['mmseg', ROOT.scope, *ROOT.children]
    if scope is None or scope in known:
        return
    if not isinstance(scope, str) or not scope.isidentifier() or find_spec(scope) is None:
        raise ConfigError('default_scope is no scope of registries.', got=repr(scope),
                          culprit=str(scope), expected=f'one of {", ".join(known)}, or an '
                          'installed package', fix=did_you_mean(str(scope), known))


def _names_read(cfg: Config) -> set[str]:
    """Variables that the config's files use themselves; a misspelt key is only written."""
    read = [node for _, node in nodes(cfg) if isinstance(getattr(node, 'ctx', None), ast.Load)]
    return {node.id for node in read if isinstance(node, ast.Name)} | {
        node.attr for node in read if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name) and node.value.id == '_base_'}


def slip_of(key: str, known: Iterable[str]) -> str | None:
    """The known name that ``key`` misspells: at most two letters off, one in a short name.

    Capitals and underscores do not count, nor does the order of words: ``from_load``.
    """
    if key in known:
        return None
    off, name = min((_distance(_folded(key), _folded(name)), name) for name in known)
    if off <= (2 if len(name) > 6 else 1):
        return name
    words = sorted(key.lower().split('_'))
    return next((name for name in known if sorted(name.split('_')) == words), None)


def _folded(name: str) -> str:
    return name.lower().replace('_', '')


def _distance(a: str, b: str) -> int:
    """Edit distance; two neighbours that changed places count as one edit."""
    before, row = [], list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
            if i > 1 and j > 1 and (x, y) == (b[j - 2], a[i - 2]):
                new[-1] = min(new[-1], before[j - 2] + 1)
        before, row = row, new
    return row[-1]


# What mmengine's runner takes whole or not at all.
PARTS = {'train': ('train_dataloader', 'train_cfg', 'optim_wrapper'),
         'val': ('val_dataloader', 'val_cfg', 'val_evaluator'),
         'test': ('test_dataloader', 'test_cfg', 'test_evaluator')}


def drop_half_parts(cfg: Config, *names: str) -> None:
    """Take out those of the named parts, unused in this run, of which something is missing."""
    for name in names:
        if any(cfg.get(key) is None for key in PARTS[name]):
            cfg.update(dict.fromkeys(PARTS[name]))
            if name == 'train':
                cfg.param_scheduler = None


def declared_metainfo(dataset: dict) -> dict:
    """Classes, palette ... of a data set's config, without reading any data.

    ``classes`` that name a file are read from there; left out where it cannot be read, which is
    said when the data set is made.
    """
    cls = dataset.get('type')
    cls = resolve(cls, DATASETS) if isinstance(cls, str) else cls
    given = dataset.get('metainfo') or {}
    if isinstance(given.get('classes'), str):
        with contextlib.suppress(ConfigError):
            folders = (dataset.get('data_root') or '', '')
            table = find_table(given['classes'], folders)
            given = {**table, **given, 'classes': table['classes']}
    known = {**getattr(cls, 'METAINFO', {}), **given}
    return {key: value for key, value in known.items() if not isinstance(value, str)}


def check_classes(cfg: Config) -> None:
    """Raise when a head's ``num_classes`` is not the number of classes of a data set.

    One class is as good as two: a sigmoid tells it from what is around it.
    """
    for loader, dataset in datasets(cfg):
        if 'type' not in dataset:
            raise ConfigError(f'The data set of {loader} has no type.', culprit=loader,
                              got=f'only {sorted(dataset)}', fix='name a data set class as type')
        classes = declared_metainfo(dataset).get('classes')
        if classes is None:
            continue
        if len(classes) > dataset.get('ignore_index', 255) > 254:
            raise ConfigError(
                f'{dataset["type"]} of {loader} has {len(classes)} classes, of which '
                f'{dataset.get("ignore_index", 255)} is one, and the value that is ignored.',
                culprit='classes', fix='set ignore_index=65535 in data sets, heads and IoUMetric, '
                'and seg_pad_val=65535 in the preprocessor')
        for name, head in heads(cfg.model):
            count = head.get('num_classes')
            fits = count in (None, len(classes)) or (count, len(classes)) == (1, 2)
            if not fits and labels_are_classes(head):
                raise ConfigError(
                    f'{name} has num_classes={count}, but {dataset["type"]} of {loader} has '
                    f'{len(classes)} classes.', culprit='num_classes', expected=len(classes),
                    fix=f'set num_classes={len(classes)} in every head, or give the data set '
                        "metainfo=dict(classes=(...))")


def count_classes(cfg: Config) -> None:
    """Give heads that need a ``num_classes`` and have none the number of the data set's classes.

    The data sets are asked in the order training, validation, test. Where none says its classes,
    or a head's class is not known, nothing is done: what is missing is said when it is made.
    """
    model = cfg.get('model')
    for _, head in heads(model) if isinstance(model, dict) else ():
        if 'num_classes' in head:
            continue
        with contextlib.suppress(ConfigError):
            cls = resolve(head['type'], MODELS) if isinstance(head.get('type'), str) else None
            taken = (arguments.parameters(cls) or {}).get('num_classes') if cls else None
            if taken is None or taken.default is not taken.empty or not labels_are_classes(head):
                continue
            counts = [len(known) for _, dataset in datasets(cfg)
                      if (known := declared_metainfo(dataset).get('classes'))]
            if counts:
                head['num_classes'] = counts[0]


def labels_are_classes(head: dict) -> bool:
    """False for heads that make labels of their own, such as boundaries."""
    cls = head.get('type')
    cls = resolve(cls, MODELS) if isinstance(cls, str) else cls
    return getattr(cls, 'labels_are_classes', True)


def heads(model: dict) -> Iterator[tuple[str, dict]]:
    """Each ('decode_head', dict) of a model's config; lists are flattened."""
    for key in ('decode_head', 'auxiliary_head'):
        found = model.get(key)
        for head in found if isinstance(found, (list, tuple)) else [found]:
            if isinstance(head, dict):
                yield f'model.{key}', head
