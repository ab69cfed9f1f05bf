"""Variables of a config that are set and change nothing, which mmengine takes without a word.

A base makes its settings of its own variables when it is read; a child, or ``--cfg-options``, that
sets such a variable later changes the variable alone. They may be meant for a plugin that reads
the config itself, so they are told of, and no error.
"""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from .config_checks import TOP_LEVEL_KEYS
from .places import config_files


@dataclass(frozen=True)
class _File:
    """What one file of a config does with names, at its top.

    Attributes:
        path: It.
        sets: Name -> where it is set last.
        reads: The names that are read, and those of ``_base_``.
    """

    path: Path
    sets: dict[str, ast.Assign]
    reads: set[str]

    @classmethod
    def of(cls, path: Path) -> '_File':
        text = path.read_text(encoding='utf-8')
        tree = ast.parse(text)
        sets = {target.id: node for node in tree.body if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)
                and target.id != '_base_'}
        return cls(path, sets, _names_in(tree) | set(re.findall(r'_base_\.(\w+)', text)))

    def made_of(self, name: str) -> list[str]:
        """The settings of a config that this file makes of its variable ``name``."""
        found = {name}
        for key, node in self.sets.items():  # in the order of their first lines
            if found & _names_in(node.value):
                found.add(key)
        return [key for key in self.sets if key in found and key in TOP_LEVEL_KEYS]


def unused_names(cfg: Config, options: dict | None = None) -> Iterator[str]:
    """A sentence for each variable that is set without effect.

    Args:
        cfg: As read, with its file's name.
        options: Its ``--cfg-options``.
    """
    paths = config_files(cfg.filename) if cfg.filename else []
    files = [_File.of(path) for path in dict.fromkeys(Path(os.path.normpath(p)) for p in paths)
             if path.suffix == '.py']
    for name, value in (options or {}).items():
        base = _reader(files, name)
        if name not in TOP_LEVEL_KEYS and base is not None:
            yield _sentence(f'--cfg-options {name}={value}', name, base)
    for number, file in enumerate(files):
        for name, node in file.sets.items():
            base = _reader(files[number + 1:], name)
            if base is not None and _is_spare(name, file, files) \
                    and ast.dump(base.sets[name].value) != ast.dump(node.value):
                yield _sentence(f'{name!r}, set anew in {file.path}:{node.lineno},', name, base)


def _reader(files: list[_File], name: str) -> _File | None:
    """The nearest of ``files`` that makes settings of a variable of its own."""
    return next((file for file in files if name in file.sets and name in file.reads
                 and file.made_of(name)), None)


def _is_spare(name: str, file: _File, files: list[_File]) -> bool:
    """Whether nothing reads the variable as ``file`` sets it."""
    return name not in TOP_LEVEL_KEYS and name not in file.reads and all(
        name in other.sets for other in files if name in other.reads)


def _names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _sentence(what: str, name: str, base: _File) -> str:
    made = ' and '.join(base.made_of(name))
    return (f'{what} does not change {made}, which {base.path} has made of its own {name!r} '
            'already; set that anew.')
