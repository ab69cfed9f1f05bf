"""Make a config of mmsegmentation, 1.x or 0.x, one of segplug: edited text, with a reason for each
change, and what segplug does not have.

Published 1.x configs run as they are; what changes then is the name of their scope. A config of
0.x cannot run, and is put into today's words where there is a rule for it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from ..errors import ConfigError, SegplugError
from ..registry import load_plugins
from .config import find_config, import_modules
from .migration import modern, old
from .migration.hunks import Hunk, hunks, old_lines
from .migration.source import Source
from .migration.text import told
from .migration.tree import Tree
from .migration.unsupported import Finding, unsupported
from .places import shipped_configs
from .results import Shown

BACKUP = '.bak'


@dataclass
class Migration(Shown):
    """What is to be changed in a config and its bases, and what is left to a person.

    Attributes:
        config: The config's file.
        files: The config and the bases below its root, the config first.
        findings: What is not supported, with lines of the files as they were.
        is_old: Whether it is a config of mmsegmentation 0.x.
    """

    config: Path
    files: list[Source]
    findings: list[Finding] = field(default_factory=list)
    is_old: bool = False
    root: Path | None = None

    def __str__(self) -> str:
        return told(self)

    @property
    def changed(self) -> list[Source]:
        """The files whose text becomes another."""
        return [source for source in self.files if source.new_text != source.old_text]

    @property
    def is_needed(self) -> bool:
        """Whether the config would not run without its changes."""
        return any(reason.needed for source in self.changed for reason in source.reasons)

    def hunks(self) -> Iterator[tuple[Path, list[Hunk]]]:
        """The changes by file."""
        for source in self.changed:
            yield source.path, hunks(source)

    def write(self) -> list[tuple[Path, Path]]:
        """Write the files in place; returns (file, backup of what it was) of each."""
        written = []
        for source in self.changed:
            backup = _free(source.path.with_name(source.path.name + BACKUP))
            backup.write_bytes(source.path.read_bytes())
            source.path.write_text(source.new_text, encoding='utf-8', newline='')
            written.append((source.path, backup))
        return written

    def write_to(self, out: str | os.PathLike) -> list[Path]:
        """Write the config to a file, or it and its bases below a folder.

        Raises:
            ConfigError: ``out`` is a file, and the config has bases of its own.
        """
        out = Path(out)
        if out.suffix == '.py' and len(self.files) > 1:
            raise ConfigError(f'--out {out} is one file, and the config has bases beside it.',
                              got=', '.join(str(each.path) for each in self.files[1:]),
                              fix='give a folder, which takes all of them')
        top = Path(os.path.commonpath([source.path.parent for source in self.files]))
        targets = [out] if out.suffix == '.py' else [
            out / source.path.relative_to(top) for source in self.files]
        for source, target in zip(self.files, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.new_text, encoding='utf-8', newline='')
        return targets


def migrate(config: str | os.PathLike) -> Migration:
    """What makes ``config`` one of segplug; nothing is written.

    Args:
        config: A Python config, or the name of a shipped one.

    Raises:
        ConfigError: There is no such config, or it or a base of it is no Python.
    """
    path = find_config(config)
    if path.suffix != '.py':
        raise ConfigError(f'{path} is no Python file, whose text could be edited.',
                          fix='change default_scope in it by hand')
    load_plugins()
    tree = Tree(path)
    migration = Migration(tree.config, tree.sources, root=tree.root)
    if any(modern.is_pure_python(source) for source in tree.sources):
        migration.findings.append(Finding(
            str(tree.config), "It imports its bases or classes, as mmengine's other style of "
            'configs does, and is not edited. Run it with '
            '`python -m segplug.compat.mmseg -m segplug.cli.main VERB ...`.'))
        return migration
    _edit(tree, migration)
    migration.findings += [*_by_hand(tree), *_checked(tree)]
    return migration


def _edit(tree: Tree, migration: Migration) -> None:
    resolved = tree.resolved()
    migration.is_old = old.is_old(tree.sources)
    if migration.is_old:
        old.rewrite(tree, resolved)
    for source in tree.sources:
        modern.rewrite(source, resolved[source.path])


def _by_hand(tree: Tree) -> Iterator[Finding]:
    for where, path, near in tree.missing:
        yield Finding(where, f'Its base {path} does not exist, and segplug ships none of that '
                             f'name{f"; did you mean {near}" if near else ""}.')
    for source in tree.sources:
        for line, text in source.by_hand:
            yield Finding(f'{source.path}:{line}', f'{text}.')


def _checked(tree: Tree) -> list[Finding]:
    """What the migrated config asks for that is not here; with lines of the files as they are."""
    with tree.laid_out() as copy_of:
        lines = {str(copy_of(source.path)): (source.path, old_lines(source))
                 for source in tree.sources}
        lines |= {str(copy_of(path)): (path, {}) for path in tree.untouched}
        try:
            cfg = Config.fromfile(str(copy_of(tree.config)), import_custom_modules=False)
        except Exception as error:  # a config is code and may raise anything
            return [Finding(str(tree.config), f'It cannot be read: {type(error).__name__}: '
                            f'{" ".join(str(error).split()).rstrip(".")}.')]
        found = []
        if cfg.get('custom_imports') is not None:
            try:
                import_modules(cfg.custom_imports, tree.config)
            except SegplugError as error:
                found.append(Finding(str(tree.config), str(error)))
        found += unsupported(cfg, is_whole=not tree.missing)
        return [Finding(_original(each.where, lines), each.what) for each in found]


def _original(where: str, lines: dict[str, tuple[Path, dict[int, int]]]) -> str:
    file, _, line = where.rpartition(':')
    file = os.path.normpath(file)
    if file not in lines:
        shipped = f'{shipped_configs()}{os.sep}'
        return where.replace(shipped, 'segplug::') if where.startswith(shipped) else where
    path, old_line = lines[file]
    return f'{path}:{old_line.get(int(line), int(line))}'


def _free(path: Path) -> Path:
    """``path``, or with the first number at its end that is not taken."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f'{path.name}{number}')
    return found
