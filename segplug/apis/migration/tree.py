"""A config with its bases: which files they are, and which of them may be edited.

Bases below the config's own root, the nearest folder above it that is called ``configs`` or holds
``_base_``, are migrated along. What lies elsewhere, or is missing, and has the name of a config
that segplug ships, becomes that one; mmsegmentation's ``_base_`` tree is shipped under its names.
"""

import ast
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from ...compat.upstream import yaml_is_data
from ...errors import nearest
from ..places import shipped_configs
from .literals import text_of
from .old_names import renamed_config
from .source import Source


class Tree:
    """The files of a config, the config first.

    Attributes:
        sources: The files that may be edited.
        untouched: Bases elsewhere, which are read as they are.
        bases: Bases of each of the files, as files; the shipped ones where they stand.
        missing: Bases that are nowhere, as they are written, with where and what is near.
    """

    def __init__(self, config: Path) -> None:
        self.config = Path(os.path.abspath(config))
        self.root = config_root(self.config)
        self.sources: list[Source] = []
        self.untouched: list[Path] = []
        self.bases: dict[Path, list[Path]] = {}
        self.missing: list[tuple[str, Path, str | None]] = []
        self._add(self.config)

    def _add(self, path: Path) -> None:
        if path in self.untouched or path in [source.path for source in self.sources]:
            return
        if path.suffix != '.py' or not path.is_relative_to(self.root):
            self.untouched.append(path)
            if path.suffix == '.py':
                for base in Config._get_base_files(str(path)):
                    if '::' not in base:
                        self._add(Path(os.path.normpath(path.parent / base)))
            return
        source = Source(path)
        self.sources.append(source)
        self.bases[path] = []
        for node in base_nodes(source):
            self._follow(source, node)

    def _follow(self, source: Source, node: ast.Constant) -> None:
        """Go on to a base, or put the shipped one in its place."""
        base = node.value
        package, sign, inner = base.partition('::')
        if sign:
            if package == 'mmseg':
                self._ship(source, node, shipped_twin(inner))
            elif package == 'segplug':
                self.bases[source.path].append(shipped_configs() / inner)
            return
        path = Path(os.path.normpath(source.path.parent / base))
        twin = None if path.is_file() and path.is_relative_to(self.root) else shipped_twin(base)
        if twin is not None:
            self._ship(source, node, twin)
        elif path.is_file():
            self.bases[source.path].append(path)
            self._add(path)
        else:
            self._miss(source, node, path)

    def _ship(self, source: Source, node: ast.Constant, twin: str | None) -> None:
        if twin is None:
            self._miss(source, node, source.path)
            return
        self.bases[source.path].append(shipped_configs() / twin)
        quote = source.text[source.span(node)[0]]
        source.edit(*source.span(node), f'{quote}segplug::{twin}{quote}',
                    "mmsegmentation's base is not here; segplug ships one of that name")

    def _miss(self, source: Source, node: ast.Constant, path: Path) -> None:
        self.missing.append((f'{source.path}:{node.lineno}', path, _near(node.value)))

    # --- the tree as it would be ---------------------------------------------------------------

    @contextmanager
    def laid_out(self):
        """The files with their edits in a temporary folder: a function from a file to its copy.

        A base that is missing is empty there.
        """
        yaml_is_data()
        absent = [path for _, path, _ in self.missing if not path.exists()]
        files = [source.path for source in self.sources] + self.untouched
        top = os.path.commonpath([path.parent for path in files + absent])
        with tempfile.TemporaryDirectory() as folder:
            def copy_of(path: Path) -> Path:
                return Path(folder) / path.relative_to(top)
            for path in files + absent:
                copy_of(path).parent.mkdir(parents=True, exist_ok=True)
            for source in self.sources:
                copy_of(source.path).write_text(source.new_text, encoding='utf-8', newline='')
            for path in self.untouched:
                shutil.copyfile(path, copy_of(path))
            for path in absent:
                copy_of(path).write_text('')
            yield copy_of

    def resolved(self) -> dict[Path, dict]:
        """What each file says with its bases; nothing of one that cannot be read."""
        found = {}
        with self.laid_out() as copy_of:
            for source in self.sources:
                try:
                    cfg = Config.fromfile(str(copy_of(source.path)), import_custom_modules=False)
                    found[source.path] = cfg.to_dict()
                except Exception:  # a config is code; the check at the end says what is wrong
                    found[source.path] = {}
        return found


    def beside(self, resolved: dict[Path, dict]) -> dict[Path, set[str]]:
        """The names that bases beside a file set; two bases of one config may not set the same.

        Args:
            resolved: What each file says with its bases.
        """
        found = {path: set() for path in self.bases}
        for path, bases in self.bases.items():  # a config comes before its bases
            said = [set(resolved[base] if base in resolved else _read(base)) for base in bases]
            for i, base in enumerate(bases):
                if base in found:
                    found[base] |= found[path].union(*said[:i], *said[i + 1:])
        return found


def _read(path: Path) -> dict:
    return Config.fromfile(str(path), import_custom_modules=False).to_dict()


def base_nodes(source: Source) -> list[ast.Constant]:
    """The texts that ``_base_`` names."""
    statement = source.statements().get('_base_')
    return [] if statement is None else [
        node for node in ast.walk(statement.value) if text_of(node) is not None]


def config_root(config: Path) -> Path:
    """The nearest folder above a config that is called ``configs`` or holds ``_base_``."""
    for folder in config.parents:
        if folder.name == 'configs' or (folder / '_base_').is_dir():
            return folder
    return config.parent


def shipped_twin(base: str) -> str | None:
    """The path below the shipped configs of the file that ``base`` names; None without one."""
    name = _tail(base)
    root = shipped_configs()
    for candidate in (name, renamed_config(name, root)):
        if candidate and (root / candidate).is_file():
            return candidate
    if '/' in name:
        return None
    found = [path.relative_to(root).as_posix() for path in root.glob(f'*/{name}')]
    return found[0] if len(found) == 1 else None


def _near(base: str) -> str | None:
    """Shipped configs of the same folder whose names are like that of ``base``."""
    name = Path(base.rpartition('::')[2])
    folder = name.parent.name
    root = shipped_configs()
    stems = {path.stem: path for path in root.rglob('*.py') if path.parent.name == folder}
    found = nearest(name.stem, stems, 2)
    return ' or '.join(f"'segplug::{stems[stem].relative_to(root).as_posix()}'"
                       for stem in found) or None


def _tail(base: str) -> str:
    """``../../x/_base_/models/a.py`` -> ``_base_/models/a.py``; else folder and file."""
    parts = Path(base).parts
    if '_base_' in parts:
        last = len(parts) - 1 - parts[::-1].index('_base_')
        return '/'.join(parts[last:])
    return '/'.join(part for part in parts[-2:] if part != '..')
