"""Where in a config's files a key of the resolved config was written.

A resolved config has forgotten its files. So a component is found in it by what it holds, which
gives its path, such as model, decode_head, num_classes; and the path is followed through the
syntax of the files: assignments, ``dict(...)``, lists, variables, ``_base_.x``, then the bases.
"""

import ast
import functools
import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from mmengine.config import Config

from .syntax import Found, base_variable, parsed


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
    for module in dict.fromkeys(module for module, _, _ in parsed(path).imports) \
            if path.suffix == '.py' else ():
        files += config_files(module_file(module, path))
    return files


def module_file(module: str, file: Path) -> Path:
    """The file of ``from ..a.b import *`` under ``with read_base():``; nothing is imported."""
    name = module.lstrip('.')
    folder, parts = file.parent, name.split('.') if name else []
    if module == name:
        spec = importlib.util.find_spec(parts[0])
        places = spec and spec.submodule_search_locations
        folder, parts = Path(next(iter(places), '')) if places else folder, parts[1:]
    else:
        for _ in range(len(module) - len(name) - 1):
            folder = folder.parent
    return folder.joinpath(*parts).with_suffix('.py')


# --- a component's path in the resolved config -------------------------------------------------

def path_of(component: Mapping, config: Mapping, culprit: str | None) -> tuple | None:
    """The path of ``culprit``, a key or value of ``component``, in ``config``; None elsewhere.

    Without a culprit it is the path of the component's type, or of the component.

    Of all dicts of the same type and with the same culprit, the one that shares most with
    ``component`` is meant: parents add keys to what they build, and take some out.
    """
    of_value = [key for key, value in component.items() if str(value) == culprit]
    key = culprit if culprit in component else of_value[0] if of_value else None
    if key is None and culprit is not None:
        return None
    found, best = None, 0
    for path, node in _dicts(config):
        if key not in (None, 'type') and key not in node:
            continue
        if component.get('type') != node.get('type') and 'type' in node:
            continue
        shared = sum(key in node and _equal(node[key], value) for key, value in component.items())
        if shared > best:
            found, best = path, shared
    if found is None:
        return None
    if key is None and 'type' in component:
        key = 'type'
    return found if key is None else (*found, key)


def _dicts(node, path: tuple = ()) -> Iterator[tuple[tuple, Mapping]]:
    if isinstance(node, Mapping):
        yield path, node
    items = node.items() if isinstance(node, Mapping) else \
        enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        yield from _dicts(value, (*path, key))


def _equal(a, b) -> bool:
    try:
        return bool(a == b)
    except (TypeError, ValueError):  # arrays
        return False


# --- a path's place in the files ---------------------------------------------------------------

@dataclass(frozen=True)
class Place:
    """Where a key is written.

    Attributes:
        file, line: The file and its line.
        value: The syntax of the value there; of JSON and YAML its text.
        variable: Where it is a variable's name, that name ...
        behind: ... and where the variable is set.
        before: How many statements of a Python file come before.
    """

    file: Path
    line: int
    value: ast.AST
    variable: str = ''
    behind: 'Place | None' = None
    before: int = 0


def written_at(path: tuple, file: Path) -> str | None:
    """'file:line' of the key that ``path`` ends in: in ``file``, else in its bases."""
    found = find(path, file)
    return found and f'{found.file}:{found.line}'


def find(path: tuple, file: Path) -> Place | None:
    """Where the key that ``path`` ends in is written, with a number for each item of a list; None
    where no syntax tells it."""
    if not path or not file.is_file():
        return None
    if file.suffix != '.py':
        return _find_in_data(path, file)
    found = parsed(file).find(path, length_of=functools.partial(_num_items, file))
    if not isinstance(found, Found):
        return _find_in_bases(found or path, file)
    name, behind = _behind(found, file)
    return Place(file, found.line, found.value, name, behind, found.before)


def _num_items(file: Path, path: tuple) -> int | None:
    """How many items a list of the bases of ``file`` has."""
    place = _find_in_bases(path, file)
    if place is None or place.file.suffix != '.py':
        return None
    return parsed(place.file).num_items(Found(place.line, place.value, place.before),
                                        functools.partial(_num_items, place.file))


def _behind(found: Found, file: Path) -> tuple[str, Place | None]:
    """The name of the variable that stands as a value, and where it is set."""
    names = base_variable(found.value)
    if names is not None:
        return '.'.join(map(str, names)), _find_in_bases(names, file)
    if not isinstance(found.value, ast.Name):
        return '', None
    name = found.value.id
    inner = parsed(file).find((name,), found.before)
    if isinstance(inner, Found):
        return name, Place(file, inner.line, inner.value, *_behind(inner, file), inner.before)
    return name, _find_in_bases(inner or (name,), file)


def _find_in_bases(path: tuple, file: Path) -> Place | None:
    for base in Config._get_base_files(str(file)):
        found = find(path, Path(base_path(base, file)))
        if found is not None:
            return found
    if file.suffix != '.py':
        return None
    for module, name, here in reversed(parsed(file).imports):
        if name == '*' or here == path[0]:
            found = find(path if name == '*' else (name, *path[1:]), module_file(module, file))
            if found is not None:
                return found
    return None


def _find_in_data(path: tuple, file: Path) -> Place | None:
    """In JSON or YAML, JSON being YAML too."""
    node = _document(str(file), file.stat().st_mtime_ns)
    line = 1
    for key in path:
        if isinstance(node, yaml.MappingNode):
            line, node = next(((k.start_mark.line + 1, v) for k, v in reversed(node.value)
                               if k.value == str(key)), (0, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) \
                and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            node = None
        if node is None:
            return _find_in_bases(path, file)
    return Place(file, line, ast.Constant(getattr(node, 'value', None)))


@functools.lru_cache(maxsize=64)
def _document(file: str, changed: int) -> yaml.Node | None:
    return yaml.compose(Path(file).read_text(encoding='utf-8'), yaml.SafeLoader)
