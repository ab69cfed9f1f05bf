"""Which files a config was made of, and where in them a name was written.

An error that names its culprit gets file and line, or the command-line option, on its way out.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from ..errors import SegplugError
from .places import config_files, path_of, written_at


def nodes(cfg: Config) -> Iterator[tuple[Path, ast.AST]]:
    """Each (file, syntax node) of a config and its bases; JSON and YAML have none."""
    return _nodes(cfg.filename) if cfg.filename else iter(())


def _nodes(path: str | os.PathLike) -> Iterator[tuple[Path, ast.AST]]:
    for file in config_files(path):
        if file.suffix == '.py':
            for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
                yield file, node


def assignments(path: str | os.PathLike) -> Iterator[tuple[Path, str, ast.AST]]:
    """Each (file, name, node of its value) that a config or a base of it sets, at any depth."""
    for file, node in _nodes(path):
        if isinstance(node, ast.keyword) and node.arg:
            yield file, node.arg, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield file, target.id, node.value


def locate(culprit: str | None, cfg: Config, options: dict | None = None,
           component: Mapping | None = None) -> str | None:
    """Where ``culprit``, a name or value, was written: the option, or 'file:line'.

    Args:
        culprit: A key, or a value as text; None for the component itself.
        cfg: The config.
        options: ``--cfg-options``, which come before the files.
        component: The dict that holds the culprit; without one, or where its place cannot be
            read from the syntax, the first place of that name is taken.
    """
    for key, value in (options or {}).items():
        if culprit is not None and (culprit in key.split('.') or culprit == str(value)):
            return f'--cfg-options {key}={value}'
    if component is not None and cfg.filename:
        path = path_of(component, cfg._cfg_dict, culprit)
        place = written_at(path, Path(cfg.filename)) if path is not None else None
        if place is not None:
            return place
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
        named = error.culprit is not None or error.component is not None
        if named and error.where is None:
            error.where = locate(error.culprit, cfg, options, error.component)
        raise
