"""From what a person types to a resolved config.

A config is a Python file with ``_base_`` inheritance; its path is looked for as given, then below
the shipped ``configs/``. Whatever is wrong with it ends as a `ConfigError` that names the file and
line, or the command-line option, that said so.
"""

import ast
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config, DictAction

from ..errors import ConfigError, SegplugError, did_you_mean
from ..registry import import_custom, load_plugins

# What the runner and the commands read at the top of a config. Other names are the author's own
# variables, unless they look like one of these misspelt.
TOP_LEVEL_KEYS = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg',
    'val_cfg', 'test_cfg', 'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator',
    'test_evaluator', 'default_hooks', 'custom_hooks', 'data_preprocessor', 'load_from', 'resume',
    'launcher', 'env_cfg', 'log_processor', 'log_level', 'visualizer', 'default_scope',
    'randomness', 'experiment_name', 'sync_bn', 'find_unused_parameters', 'model_wrapper_cfg',
    'custom_imports', 'aug_test_cfg', 'compile', 'runner_type',
    'activation_checkpointing', 'efficient_conv_bn_eval')

# The keys that are read below them, by dotted name.
NESTED_KEYS = {
    'randomness': ('seed', 'diff_rank_seed', 'deterministic'),
    'env_cfg': ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit', 'num_threads',
                'test_num_threads'),
    'env_cfg.mp_cfg': ('mp_start_method', 'opencv_num_threads'),
    'env_cfg.dist_cfg': ('backend', 'timeout', 'port'),
    'auto_scale_lr': ('enable', 'base_batch_size')}
LOG_LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def shipped_configs() -> Path:
    """The folder of the configs that come with segplug: the checkout's, else the wheel's."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / 'configs'
    return checkout if (checkout / '_base_').is_dir() else package / 'configs'


def find_config(name: str | os.PathLike) -> Path:
    """The file that ``name`` means: a path, or a path below the shipped configs."""
    path = Path(name).expanduser()
    relative = Path(*path.parts[1:]) if path.parts[:1] == ('configs',) else path
    for candidate in (path, shipped_configs() / relative):
        if candidate.is_file():
            return candidate
    shipped = [p.relative_to(shipped_configs()).as_posix()
               for p in sorted(shipped_configs().rglob('*.py')) if '_base_' not in p.parts]
    raise ConfigError(f'There is no config {str(name)!r}.', fix=did_you_mean(
        relative.as_posix(), shipped) or f'give a path, or one of {", ".join(shipped)}')


def base_path(base: str, filename: str | os.PathLike) -> str:
    """The file that an entry of ``_base_`` means; ``segplug::unet/x.py`` is a shipped config."""
    if base.startswith('segplug::'):
        return str(shipped_configs() / base.removeprefix('segplug::'))
    return os.path.join(os.path.dirname(filename), base)


def _with_shipped_bases(upstream_path):
    """mmengine looks for ``package::path`` in a ``.mim`` folder only; ours need none."""

    def get_cfg_path(base: str, filename: str):
        if '::' in base and not base.startswith('segplug::'):
            return upstream_path(base, filename)
        return base_path(base, filename), None

    return get_cfg_path


Config._get_cfg_path = staticmethod(_with_shipped_bases(Config._get_cfg_path))


def parse_options(pairs: list[str]) -> dict:
    """``['a.b=1', 'c=[1,2]']`` as a dict, values read as mmengine's ``DictAction`` reads them."""
    options = {}
    for pair in pairs:
        key, sign, value = pair.partition('=')
        if not sign or not key:
            raise ConfigError(f'The option {pair!r} is not of the form key=value.',
                              fix="write for example --cfg-options train_cfg.max_iters=100 "
                                  "model.test_cfg.mode=slide")
        options[key] = DictAction._parse_iterable(value)
    return options


def load_config(name: str | os.PathLike, *, options: dict | None = None,
                data_root: str | None = None) -> Config:
    """Read a config with its bases, its custom imports and the installed plugins.

    Args:
        name: Path of a config, or the name of a shipped one (``unet/unet_r18_minicity.py``).
        options: ``{'optim_wrapper.optimizer.lr': 0.1}``: any key, by dots; list items by number.
        data_root: Root of every data set in the config, wrapped ones too.

    Raises:
        ConfigError: The file is missing, does not parse, or has a misspelt top-level key.
    """
    path = find_config(name)
    load_plugins()
    cfg = _read(path)
    if options:
        _merge(cfg, options)
    with explained(cfg, options):
        if cfg.get('custom_imports') is not None:
            _import_custom(cfg.custom_imports, path)
        check_top_level(cfg)
        check_nested(cfg)
        if data_root is not None:
            set_data_root(cfg, data_root)
    if cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', path.stem)
    if cfg.get('default_scope') in (None, 'mmseg'):  # published configs; the names are the same
        cfg.default_scope = 'segplug'
    return cfg


def _read(path: Path) -> Config:
    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except SegplugError:
        raise
    except FileNotFoundError as error:
        missing = error.filename or str(error)
        raise ConfigError(f'A _base_ of {path} does not exist: {missing}.',
                          fix='correct the path; it is read relative to the file that names it'
                          ) from error
    except Exception as error:  # a config is code and may raise anything
        raise ConfigError(f'The config {path} cannot be read: {type(error).__name__}: '
                          f'{str(error).strip()}.', fix='mend the line it names') from error


def _merge(cfg: Config, options: dict) -> None:
    for key, value in options.items():
        try:
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f'The option {key}={value} does not fit the config: '
                              f'{str(error).strip(chr(34))}.', culprit=key.split('.')[-1],
                              fix='list items are addressed by number, as in '
                                  'param_scheduler.0.power=0.9') from error


def _import_custom(custom_imports: dict, path: Path) -> None:
    """Project-local modules lie where the person stands, or beside the config."""
    for folder in (path.resolve().parent, Path.cwd()):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    given = custom_imports if isinstance(custom_imports, dict) else dict(imports=custom_imports)
    modules = given.get('imports') or []
    if set(given) - {'imports', 'allow_failed_imports'} or not isinstance(modules, (str, list)):
        raise ConfigError('custom_imports has an unknown form.', got=given,
                          expected="dict(imports=['module', ...], allow_failed_imports=False)",
                          culprit='custom_imports')
    import_custom([modules] if isinstance(modules, str) else modules,
                  given.get('allow_failed_imports', False))


def check_top_level(cfg: Config) -> None:
    """Raise for a top-level key that is a known one misspelt, whether that one is set or not."""
    slips = {key: meant for key in cfg if (meant := _meant(key))}
    if not slips:
        return
    own = _names_read(cfg)
    for key, meant in slips.items():
        if key not in own:
            raise ConfigError(f'The config sets {key!r}, which nothing reads.',
                              fix=f'did you mean {meant!r}', culprit=key)


def check_nested(cfg: Config) -> None:
    """Raise for an unknown key or value that would be left unread, or fail deep inside."""
    for name, known in NESTED_KEYS.items():
        node = cfg
        for part in name.split('.'):
            node = node.get(part) or {}
        for key in node:
            if key not in known:
                raise ConfigError(f'{name} has no key {key!r}.', expected=', '.join(known),
                                  fix=did_you_mean(key, known), culprit=key)
    level = cfg.get('log_level', 'INFO')
    if isinstance(level, str) and level not in LOG_LEVELS:
        raise ConfigError('log_level has an unknown value.', got=level, culprit=level,
                          expected=', '.join(LOG_LEVELS))


def _names_read(cfg: Config) -> set[str]:
    """Variables that the config's files use themselves; a misspelt key is only written."""
    return {node.id for _, node in _nodes(cfg)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _nodes(cfg: Config) -> Iterator[tuple[Path, ast.AST]]:
    """Each (file, syntax node) of a config and its bases; JSON and YAML have none."""
    for file in config_files(cfg.filename) if cfg.filename else []:
        if file.suffix == '.py':
            for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
                yield file, node


def _meant(key: str) -> str | None:
    """The known key of which ``key`` is a slip: at most two letters off, one in a short name."""
    if key in TOP_LEVEL_KEYS:
        return None
    off, name = min((_distance(key, name), name) for name in TOP_LEVEL_KEYS)
    return name if off <= (2 if len(name) > 6 else 1) else None


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


def datasets(cfg: Config) -> Iterator[tuple[str, dict]]:
    """Each (data-loader key, innermost data-set dict) of a config, wrapped ones too."""

    def leaves(node):
        inner = [node[k] for k in ('dataset', 'datasets') if k in node]
        for item in inner:
            for child in item if isinstance(item, (list, tuple)) else [item]:
                yield from leaves(child)
        if not inner:
            yield node

    for loader in DATALOADERS:
        if cfg.get(loader) and isinstance(cfg[loader].get('dataset'), dict):
            for leaf in leaves(cfg[loader]['dataset']):
                yield loader, leaf


def set_data_root(cfg: Config, root: str) -> None:
    """Make ``root`` the root of every data set."""
    if not Path(root).is_dir():
        raise ConfigError(f'--data-root {root} is not a folder.',
                          got='nothing there' if not Path(root).exists() else 'a file',
                          fix='give the folder that holds the data set')
    for _, dataset in datasets(cfg):
        dataset['data_root'] = root
    if 'data_root' in cfg:
        cfg.data_root = root


def config_files(path: str | os.PathLike) -> list[Path]:
    """The config and all its bases, the nearest first."""
    path, files = Path(path), []
    if not path.is_file():
        return files
    files.append(path)
    for base in Config._get_base_files(str(path)):
        files += config_files(base_path(base, path))
    return files


def locate(culprit: str, cfg: Config, options: dict | None = None) -> str | None:
    """Where ``culprit``, a name or value, was written: the option, or 'file:line'."""
    for key, value in (options or {}).items():
        if culprit in key.split('.') or culprit == str(value):
            return f'--cfg-options {key}={value}'
    for file, node in _nodes(cfg):
        named = {ast.keyword: 'arg', ast.Constant: 'value', ast.Name: 'id'}.get(type(node))
        if named and str(getattr(node, named)) == culprit:
            return f'{file}:{node.lineno}'
    return None


@contextmanager
def explained(cfg: Config, options: dict | None = None):
    """Add file and line to each of our errors that names a culprit in the config."""
    try:
        yield
    except SegplugError as error:
        if error.culprit is not None and error.where is None:
            error.where = locate(error.culprit, cfg, options)
        raise


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

    A ``classes`` that names a file is left out.
    """
    from ..registry import DATASETS, resolve
    cls = dataset.get('type')
    cls = resolve(cls, DATASETS) if isinstance(cls, str) else cls
    known = {**getattr(cls, 'METAINFO', {}), **(dataset.get('metainfo') or {})}
    return {key: value for key, value in known.items() if not isinstance(value, str)}


def check_classes(cfg: Config) -> None:
    """Raise when a head's ``num_classes`` is not the number of classes of a data set."""
    for loader, dataset in datasets(cfg):
        if 'type' not in dataset:
            raise ConfigError(f'The data set of {loader} has no type.', culprit=loader,
                              got=f'only {sorted(dataset)}', fix='name a data set class as type')
        classes = declared_metainfo(dataset).get('classes')
        if classes is None:
            continue
        for name, head in heads(cfg.model):
            count = head.get('num_classes')
            if count is not None and count != len(classes):
                raise ConfigError(
                    f'{name} has num_classes={count}, but {dataset["type"]} of {loader} has '
                    f'{len(classes)} classes.', culprit='num_classes', expected=len(classes),
                    fix=f'set num_classes={len(classes)} in every head, or give the data set '
                        "metainfo=dict(classes=(...))")


def heads(model: dict) -> Iterator[tuple[str, dict]]:
    """Each ('decode_head', dict) of a model's config; lists are flattened."""
    for key in ('decode_head', 'auxiliary_head'):
        found = model.get(key)
        for head in found if isinstance(found, (list, tuple)) else [found]:
            if isinstance(head, dict):
                yield f'model.{key}', head
