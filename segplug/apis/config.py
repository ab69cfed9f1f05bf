"""From what a person types to a resolved config.

A config is a Python file with ``_base_`` inheritance; its path is looked for as given, then below
the shipped ``configs/``. Whatever is wrong with it ends as a `ConfigError` that names the file and
line, or the command-line option, that said so.
"""

import ast
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config, DictAction

from ..compat.upstream import yaml_is_data
from ..errors import ConfigError, SegplugError, did_you_mean
from ..registry import import_custom, load_plugins
from .config_checks import check_nested, check_top_level, count_classes, datasets
from .data_configs import check_base, check_data_config, is_data
from .places import base_path, shipped_configs
from .provenance import assignments, explained


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
        relative.as_posix(), shipped) or 'give a path, or a shipped one: segplug zoo lists them')


def _with_shipped_bases(upstream_path):
    """mmengine looks for ``package::path`` in a ``.mim`` folder only; ours need none."""

    def get_cfg_path(base: str, filename: str):
        if '::' in base and not base.startswith('segplug::'):
            check_base(base, filename)
            return upstream_path(base, filename)
        path = base_path(base, filename)
        check_base(path, filename)
        return path, None

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
                data_root: str | None = None, packed: str | None = None) -> Config:
    """Read a config with its bases, its custom imports and the installed plugins.

    Args:
        name: Path of a config, or the name of a shipped one (``unet/unet_r18_minicity.py``).
        options: ``{'optim_wrapper.optimizer.lr': 0.1}``: any key, by dots; list items by number.
        data_root: Root of every data set in the config, wrapped ones too.
        packed: Folder from which every data set reads its samples, see `segplug pack`.

    Raises:
        ConfigError: The file is missing, does not parse, or has a misspelt top-level key.
    """
    path = find_config(name)
    load_plugins()
    cfg = read_config(path)
    if options:
        merge_options(cfg, options)
    with explained(cfg, options):
        if cfg.get('custom_imports') is not None:
            import_modules(cfg.custom_imports, path)
        check_top_level(cfg)
        check_nested(cfg)
        if data_root is not None:
            set_data_root(cfg, data_root, must_exist=packed is None)
        if packed is not None:
            for _, dataset in datasets(cfg):
                dataset['packed'] = packed
        count_classes(cfg)
    if cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', path.stem)
    if cfg.get('default_scope') in (None, 'mmseg'):  # published configs; the names are the same
        cfg.default_scope = 'segplug'
    return cfg


def read_config(path: Path) -> Config:
    """A config with its bases; nothing is imported, and only what is data is checked.

    Raises:
        ConfigError: It cannot be read, or is JSON or YAML and names something to import.
    """
    yaml_is_data()
    try:
        _check_syntax(path, path)
        cfg = Config.fromfile(str(path), import_custom_modules=False)
        if is_data(path):
            check_data_config(cfg.to_dict(), path)
        return cfg
    except SegplugError:
        raise
    except FileNotFoundError as error:
        missing = error.filename or str(error)
        raise ConfigError(f'A _base_ of {path} does not exist: {missing}.',
                          fix='correct the path; it is read relative to the file that names it'
                          ) from error
    except Exception as error:  # a config is code and may raise anything
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConfigError:
    """What a config raised, with the line of the file, perhaps a base, that raised it."""
    text = ' '.join(str(error).split()).rstrip('.')
    clash = re.search(r'because (\w+) is a dict in the child config but is of type', text)
    if clash:
        return _no_dict_in_a_base(path, clash[1])
    told = ConfigError(f'The config {path} cannot be read: {type(error).__name__}: {text}.',
                       fix='mend the line it names')
    trace = error.__traceback__
    while trace is not None:
        variables = trace.tb_frame.f_globals
        if '_base_' in variables and Path(trace.tb_frame.f_code.co_filename).suffix == '.py':
            told.where = f'{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}'
            known = variables if isinstance(error, NameError) else _keys(variables['_base_'])
            wrong = re.search(r"(?:name|attribute) '(\w+)'", text)
            told.fix = wrong and did_you_mean(wrong[1], known) or 'mend this line'
        trace = trace.tb_next
    return told


def _check_syntax(path: Path, config: Path) -> None:
    """Raise for a config, or a base of it, that is no Python; mmengine does not say which."""
    if path.suffix != '.py' or not path.is_file():
        return
    try:
        ast.parse(path.read_text(encoding='utf-8'))
    except (SyntaxError, ValueError) as error:  # ValueError: no UTF-8, or a zero byte
        told = ConfigError(f'The config {config} cannot be read: {type(error).__name__}: {error}.',
                           fix='mend this line')
        told.where = f'{path}:{getattr(error, "lineno", None) or 1}'
        raise told from error
    for base in Config._get_base_files(str(path)):
        _check_syntax(Path(base_path(base, path)), config)


def _no_dict_in_a_base(path: Path, key: str) -> ConfigError:
    """mmengine's words for it show the whole dict, and not the files."""
    told = ConfigError(f'The config {path} adds keys to {key!r}, which is no dict in its bases.',
                       expected='a dict in both',
                       fix=f'correct the base, or write {key}=dict(_delete_=True, ...) to leave '
                           'what it says')
    written = [(f'{file}:{node.lineno}', node) for file, name, node in assignments(path)
               if name == key and not isinstance(node, ast.Name)]
    others = [(place, node) for place, node in written
              if not isinstance(node, (ast.Call, ast.Dict))]
    if others:
        place, node = others[0]
        told.where = place
        if isinstance(node, (ast.List, ast.Tuple)) and written[0] != others[0]:
            # A whole dict for one of a list: it is the child that slipped.
            told.where, told.fix = written[0][0], (
                f'write a list, as {place} does, or {key}=dict(_delete_=True, ...) to leave what '
                'it says')
    return told


def _keys(node) -> list[str]:
    """The keys of a dict and of all dicts in it."""
    if isinstance(node, Mapping):
        return [*map(str, node), *(key for value in node.values() for key in _keys(value))]
    return [key for value in node for key in _keys(value)] if isinstance(node, list) else []


def merge_options(cfg: Config, options: dict) -> None:
    """Put ``{'a.b': value}`` into a config; ConfigError for what does not fit into it."""
    for key, value in options.items():
        try:
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f'The option {key}={value} does not fit the config: '
                              f'{str(error).strip(chr(34))}.', culprit=key.split('.')[-1],
                              fix='list items are addressed by number, as in '
                                  'param_scheduler.0.power=0.9') from error


def import_modules(custom_imports: dict, path: Path) -> None:
    """Import what a config at ``path`` names; project-local modules lie where the person stands,
    or beside the config.

    Raises:
        ConfigError: A module cannot be imported.
    """
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


def set_data_root(cfg: Config, root: str, must_exist: bool = True) -> None:
    """Make ``root`` the root of every data set."""
    if must_exist and not Path(root).is_dir():
        raise ConfigError(f'--data-root {root} is not a folder.',
                          got='nothing there' if not Path(root).exists() else 'a file',
                          fix='give the folder that holds the data set')
    for _, dataset in datasets(cfg):
        dataset['data_root'] = root
    if 'data_root' in cfg:
        cfg.data_root = root
