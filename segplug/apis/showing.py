"""A config as it is merged, with the place that each value came from; and what differs in two.

A config may also be the one that a run left: in its work directory, or in its checkpoint.
"""

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DefaultScope

from ..compat.config_text import leaves, value_text
from ..errors import ConfigError, OutputError, did_you_mean
from .config import find_config, load_config, merge_options, read_config
from .data_configs import SUFFIXES
from .places import Place, config_files, find
from .provenance import explained
from .results import Shown
from .saved_config import config_of_checkpoint

CHECKPOINTS = ('.pth', '.pt', '.ckpt', '.bin')
# What a test and tools/analysis_tools/benchmark.py may write into a work directory.
_NO_CONFIGS = ('metrics.json', 'boundary_metrics.json', 'run.json', 'fps_*.json')
_WIDEST = 100  # columns of 'key = value' behind which origins no longer stand in line


@dataclass(frozen=True)
class Entry:
    """One value of a merged config.

    Attributes:
        path: Its keys, and numbers of list items.
        value: A number, text, None, a list of such, or an empty dict or list.
        origin: 'file.py:12', '--cfg-options', '--data-root', 'segplug' for a default that no file
            says, '' where nothing tells it.
    """

    path: tuple
    value: object
    origin: str

    @property
    def key(self) -> str:
        """With dots, as ``--cfg-options`` takes it."""
        return '.'.join(map(str, self.path))

    def __str__(self) -> str:
        return f'{self.key} = {shown(self.value)}'


@dataclass(frozen=True)
class ShownConfig(Shown):
    """A merged config and where it comes from.

    Attributes:
        name: What it was asked for by.
        cfg: The config, as `load_config` gives it.
        entries: Each of its values, in order.
        folder: Below which the files of the origins lie.
    """

    name: str
    cfg: Config
    entries: list[Entry]
    folder: Path | None = None

    def text(self, origins: bool = True) -> str:
        """A line per value, by keys; or, without the origins, the config as Python."""
        if not origins:
            return self.cfg.pretty_text.rstrip()
        head = f'# {self.name}' + (f'; files below {self.folder}' if self.folder else '')
        return '\n'.join([head, *aligned([(str(e), e.origin) for e in self.entries])])

    def __str__(self) -> str:
        return self.text()

    def only(self, keys: Sequence[str]) -> 'ShownConfig':
        """Of the keys and what is below them alone.

        Raises:
            ConfigError: The config has no such key.
        """
        names = {'.'.join(map(str, e.path[:n + 1])) for e in self.entries
                 for n in range(len(e.path))}
        for key in keys:
            if key not in names:
                raise ConfigError(f'{self.name} has no key {key!r}.', fix=did_you_mean(key, names))
        # By the whole text: a key may have dots in it, as custom_keys' do.
        entries = [e for e in self.entries if any(f'{e.key}.'.startswith(f'{key}.')
                                                  for key in keys)]
        cfg = Config({e.path[0]: self.cfg[e.path[0]] for e in entries})
        return ShownConfig(self.name, cfg, entries, self.folder)


def shown(value) -> str:
    """A value as Python text on one line."""
    if isinstance(value, Mapping):
        items = [f'{key}={shown(item)}' if str(key).isidentifier() else
                 f'**{{{key!r}: {shown(item)}}}' for key, item in value.items()]
        return f'dict({", ".join(items)})'
    if isinstance(value, list):
        return f'[{", ".join(map(shown, value))}]'
    if isinstance(value, tuple):
        return f'({", ".join(map(shown, value))}{"," * (len(value) == 1)})'
    return value_text(value)


def aligned(rows: list[tuple[str, str]]) -> Iterator[str]:
    """Lines of (text, what stands behind '#')."""
    width = max((len(left) for left, right in rows if right and len(left) <= _WIDEST), default=0)
    for left, right in rows:
        yield f'{left.ljust(width)}  # {right}' if right else left


# --- where a config comes from -----------------------------------------------------------------

def show_config(config: str | os.PathLike, *, options: dict | None = None,
                data_root: str | None = None, packed: str | None = None,
                keys: Sequence[str] = ()) -> ShownConfig:
    """A merged config with the place that each value came from.

    Args:
        config: A config file, a shipped config's name, a work directory, or a checkpoint that
            segplug wrote.
        options, data_root, packed: As in `load_config`.
        keys: Dotted keys to show alone, with what is below them.

    Raises:
        ConfigError, CheckpointError: It cannot be read, or has no such key.
    """
    path, options = Path(config).expanduser(), options or {}
    if path.is_dir():
        path = _config_of_run(path)
    if path.suffix in CHECKPOINTS:
        found = _of_checkpoint(path, options)
    else:
        found = _of_file(str(config), find_config(path), options, data_root, packed)
    return found.only(keys) if keys else found


def _config_of_run(folder: Path) -> Path:
    """The config that a training left in its work directory, else its newest checkpoint."""
    from ..engine.checkpoint_files import latest_checkpoint
    configs = sorted((file for suffix in ('.py', *SUFFIXES) for file in folder.glob(f'*{suffix}')
                      if not any(map(file.match, _NO_CONFIGS))),
                     key=lambda file: file.stat().st_mtime)
    found = configs[-1] if configs else latest_checkpoint(folder)
    if found is None:
        raise ConfigError(f'The folder {folder} holds neither a config nor a checkpoint.',
                          fix='give the work directory of a training, or a config')
    return found


def _of_checkpoint(path: Path, options: dict) -> ShownConfig:
    from ..engine.checkpoint import load_checkpoint
    cfg = config_of_checkpoint(load_checkpoint(str(path)), str(path), options=options)
    entries = [Entry(keys, value, '--cfg-options' if _is_option(keys, options) else path.name)
               for keys, value in leaves(cfg.to_dict())]
    return ShownConfig(str(path), cfg, entries)


def _of_file(name: str, path: Path, options: dict, data_root: str | None, packed: str | None
             ) -> ShownConfig:
    cfg = load_config(path, options=options, data_root=data_root, packed=packed)
    said = read_config(path)
    merge_options(said, options)
    said, files = said.to_dict(), [file.resolve() for file in config_files(path)]
    folder = Path(os.path.commonpath([file.parent for file in files]))
    entries = []
    for keys, value in leaves(cfg.to_dict()):
        if not _holds(said, keys, value):
            origin = '--data-root' if data_root is not None and keys[-1] == 'data_root' else \
                '--packed' if packed is not None and keys[-1] == 'packed' else 'segplug'
        elif _is_option(keys, options):
            origin = '--cfg-options'
        else:
            origin = _origin(_nearest(keys, value, path), folder)
        entries.append(Entry(keys, value, origin))
    return ShownConfig(name, cfg, entries, folder)


def _holds(node, path: tuple, value) -> bool:
    """Whether ``value`` stands at ``path``."""
    for key in path:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return False
    return same(node, value)


def same(a, b) -> bool:
    """Equal, a list and a tuple too: JSON has no tuples."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and shown(a) == shown(b) or (
        isinstance(a, int | float) and isinstance(b, int | float)
        and isinstance(a, bool) == isinstance(b, bool) and a == b)


def _is_option(path: tuple, options: Mapping) -> bool:
    """Whether an option sets ``path`` or what it is in."""
    words = [str(key) for key in path]
    return any(words[:len(option.split('.'))] == option.split('.') for option in options)


def _nearest(path: tuple, value, file: Path) -> Place | None:
    """Where a key is written, or what it stands in, if only running the file would tell."""
    for length in range(len(path), 0, -1):
        found = find(path[:length], file)
        if found is not None and (length < len(path) or _says(found, value)):
            return found
    return None


def _says(place: Place, value) -> bool:
    """Whether a place may set ``value``: not where it says another."""
    while place.behind is not None:
        place = place.behind
    try:
        return place.file.suffix != '.py' or same(ast.literal_eval(place.value), value)
    except ValueError:  # computed
        return True


def _origin(place: Place | None, folder: Path) -> str:
    """'file.py:3', and behind it the variables that stand there."""
    if place is None:
        return ''
    file = os.path.relpath(place.file.resolve(), folder)
    behind = place.behind and _origin(place.behind, folder)
    if not behind:
        return f'{file}:{place.line}'
    if place.behind.file == place.file:
        behind = f'line {behind.removeprefix(f"{file}:")}'
    return f'{file}:{place.line} ({place.variable}: {behind})'


# --- what else a person asks for ---------------------------------------------------------------

def write_config(cfg: Config, path: Path) -> Path:
    """Write a merged config as Python, JSON or YAML, by the name of the file.

    Raises:
        ConfigError: The file's name is of none of these.
        OutputError: It cannot be written.
    """
    if path.suffix not in ('.py', *SUFFIXES):
        raise ConfigError(f'A config cannot be written as {path.name}.',
                          expected=f'a name that ends in {", ".join((".py", *SUFFIXES))}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(path)
    except OSError as error:
        raise OutputError(f'{path} could not be written: {error.strerror or error}.') from error
    return path


def model_text(cfg: Config) -> str:
    """The modules of the model that a config describes.

    Raises:
        ConfigError: It has no model, or one that cannot be made.
    """
    from ..registry import MODELS
    if not cfg.get('model'):
        raise ConfigError('The config has no model to print.')
    with explained(cfg), DefaultScope.overwrite_default_scope(cfg.default_scope):
        return str(MODELS.build(cfg.model))
