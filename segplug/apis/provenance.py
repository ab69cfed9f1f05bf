"""Which files a config was made of, and where in them a name was written.

An error that names its culprit gets file and line, or the command-line option, on its way out.
"""

import ast
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from ..errors import SegplugError


def shipped_configs() -> Path:
    """The folder of the configs that come with segplug: the checkout's, else the wheel's."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / 'configs'
    return checkout if (checkout / '_base_').is_dir() else package / 'configs'


def base_path(base: str, filename: str | os.PathLike) -> str:
    """The file that an entry of ``_base_`` means; ``segplug::unet/x.py`` is a shipped config."""
    if base.startswith('segplug::'):
        return str(shipped_configs() / base.removeprefix('segplug::'))
    return os.path.join(os.path.dirname(filename), base)


def config_files(path: str | os.PathLike) -> list[Path]:
    """The config and all its bases, the nearest first."""
    path, files = Path(path), []
    if not path.is_file():
        return files
    files.append(path)
    for base in Config._get_base_files(str(path)):
        files += config_files(base_path(base, path))
    return files


def nodes(cfg: Config) -> Iterator[tuple[Path, ast.AST]]:
    """Each (file, syntax node) of a config and its bases; JSON and YAML have none."""
    for file in config_files(cfg.filename) if cfg.filename else []:
        if file.suffix == '.py':
            for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
                yield file, node


def locate(culprit: str, cfg: Config, options: dict | None = None) -> str | None:
    """Where ``culprit``, a name or value, was written: the option, or 'file:line'."""
    for key, value in (options or {}).items():
        if culprit in key.split('.') or culprit == str(value):
            return f'--cfg-options {key}={value}'
    for file, node in nodes(cfg):
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
