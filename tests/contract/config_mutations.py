"""Slips in config files, one at a time, and what `segplug train` says of each up to its first
iteration, with the model on the meta device and no image read.

A slip is made in the text of a leaf or of one of its bases, where the syntax tree says that a key,
a type or a value stands; those that do not change what is trained are drawn again.
"""

import ast
import contextlib
import functools
import random
import re
import string
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
from mmengine.config import Config

from segplug import arguments, registry
from segplug.apis.config_checks import TOP_LEVEL_KEYS
from segplug.apis.places import config_files
from segplug.apis.training import train
from segplug.engine.runner import Runner
from segplug.errors import ConfigError
from segplug.registry import DATASETS, LOOPS

KINDS = ('key', 'type', 'extra', 'drop', 'value')
UNLIKE_ANY = 'zqxj'


@dataclass(frozen=True)
class Slip:
    """One change of one file.

    Attributes:
        kind: One of KINDS.
        leaf: The config that is trained.
        file: The file that is changed; the leaf or one of its bases.
        lines: Where the error may say it is: the line of the key, or those of its dict.
        text: The whole file with the slip.
        meant: The name that was misspelt, if one was.
        change: 'before -> after', for messages.
    """

    kind: str
    leaf: Path
    file: Path
    lines: range
    text: str
    meant: str | None
    change: str


@dataclass(frozen=True)
class Spot:
    """A place in a file: the bytes from ``start`` to ``end`` of the source."""

    kind: str
    start: int
    end: int
    lines: range
    word: str


# --- where slips can be made -------------------------------------------------------------------

def spots(text: str) -> list[Spot]:
    """Every place of a source file where a slip of one of KINDS can be made."""
    offsets, found, source = [0], [], text.encode()
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))

    def at(node) -> tuple[int, int]:
        return (offsets[node.lineno - 1] + node.col_offset,
                offsets[node.end_lineno - 1] + node.end_col_offset)

    def line(node) -> range:
        return range(node.lineno, node.lineno + 1)

    tree = ast.parse(text)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for statement in tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if getattr(target, 'id', None) in {*TOP_LEVEL_KEYS} - used:
            found.append(Spot('key', *at(target), line(target), target.id))
            found += _of_value(statement.value, at, line(target), target.id)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'dict'):
            continue
        for keyword in node.keywords:
            if keyword.arg is None:
                continue
            start = at(keyword)[0]
            span = range(node.lineno, node.end_lineno + 1)
            if keyword.arg == 'type':
                if isinstance(keyword.value, ast.Constant):
                    begin, end = at(keyword.value)
                    found.append(Spot('type', begin + 1, end - 1, line(keyword.value),
                                      keyword.value.value))
                    found.append(Spot('extra', end, end, line(keyword.value), ''))
                continue
            found.append(Spot('key', start, start + len(keyword.arg), line(keyword), keyword.arg))
            found.append(Spot('drop', start, _past_comma(source, at(keyword)[1]), span,
                              keyword.arg))
            found += _of_value(keyword.value, at, line(keyword), keyword.arg)
    return found


def _of_value(value, at, lines, key) -> Iterator[Spot]:
    number = isinstance(value, ast.Constant) and type(value.value) in (int, float)
    if number or (isinstance(value, ast.Call) and getattr(value.func, 'id', '') == 'dict'):
        yield Spot('value', *at(value), lines, key)


def _past_comma(source: bytes, end: int) -> int:
    return end + re.match(rb'\s*,?', source[end:]).end()


def required(node) -> set[str]:
    """Names of the arguments that components of a config cannot do without."""
    if isinstance(node, (list, tuple)):
        return set().union(*map(required, node))
    if not isinstance(node, dict):
        return set()
    return set().union(_required(node.get('type')), *map(required, node.values()))


@functools.cache
def _required(kind) -> set[str]:
    registries = [r for r in vars(registry).values() if isinstance(r, registry.Registry)]
    classes = [r.get(kind) for r in registries] if isinstance(kind, str) else []
    return {name for cls in classes if cls
            for name, p in (arguments.parameters(cls) or {}).items() if p.default is p.empty}


# --- slips -------------------------------------------------------------------------------------

def misspelt(word: str, draw: random.Random) -> str:
    """``word`` with one letter left out, doubled, replaced or changed with its neighbour."""
    while True:
        i = draw.randrange(len(word))
        new = draw.choice((
            word[:i] + word[i + 1:], word[:i] + word[i] + word[i:],
            word[:i] + draw.choice(string.ascii_lowercase) + word[i + 1:],
            word[:i] + word[i + 1:i + 2] + word[i] + word[i + 2:]))
        if new != word and new.isidentifier():
            return new


def slip_of(leaf: Path, kind: str, draw: random.Random) -> Slip | None:
    """A slip that changes what is trained, or None where the files have no place for one."""
    needed = required(Config.fromfile(leaf).to_dict()) if kind == 'drop' else ()
    places = [(file, spot) for file in config_files(leaf) for spot in spots(file.read_text())
              if spot.kind == kind and (kind != 'drop' or spot.word in needed)]
    draw.shuffle(places)
    for file, spot in places[:20]:
        slip = _made(spot, leaf, file, file.read_text(), draw)
        if _changes_something(slip):
            return slip
    return None


def _made(spot: Spot, leaf: Path, file: Path, text: str, draw: random.Random) -> Slip:
    source = text.encode()
    before = source[spot.start:spot.end].decode()
    if spot.kind in ('key', 'type'):
        after = misspelt(before, draw)
    elif spot.kind == 'extra':
        after = f', {UNLIKE_ANY}=1'
    elif spot.kind == 'drop':
        after = ''
    else:
        after = '7' if before.startswith('dict') else draw.choice((f"'{before}'", f'[{before}]'))
    changed = (source[:spot.start] + after.encode() + source[spot.end:]).decode()
    meant = before if spot.kind in ('key', 'type') else None
    return Slip(spot.kind, leaf, file, spot.lines, changed, meant,
                f'{spot.word}: {before} -> {after}' if spot.kind == 'value' else
                f'{before} -> {after}')


def _changes_something(slip: Slip) -> bool:
    before = _trained(slip.leaf)
    with written(slip.file, slip.text):
        return _trained(slip.leaf) != before


def _trained(leaf: Path) -> dict | None:
    """The config without the author's variables; None where it cannot be read."""
    try:
        config = Config.fromfile(leaf, import_custom_modules=False).to_dict()
    except Exception:  # a config is code and may raise anything
        return None
    own = re.compile(r'(model|train|optim|param|default|custom|random|env|vis|log|load|resume)')
    return {key: value for key, value in config.items()
            if key in TOP_LEVEL_KEYS and not key.startswith(('test', 'aug_test'))} | {
            key: None for key in config if own.match(key)}


@contextlib.contextmanager
def written(file: Path, text: str) -> Iterator[None]:
    """``file`` holds ``text`` inside."""
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


# --- training without data ---------------------------------------------------------------------

def _on_meta(self, model, build=Runner.build_model):
    with torch.device('meta'):
        return build(self, model)


def _eight_samples(self) -> list[dict]:
    return [dict(img_path=f'{i}.png', seg_map_path=f'{i}.png', label_map=None,
                 reduce_zero_label=False, seg_fields=[]) for i in range(8)]


@contextlib.contextmanager
def no_data() -> Iterator[None]:
    """`train` builds everything and stops before its first iteration; no file is looked for."""
    with contextlib.ExitStack() as stack:
        def patch(owner, name, new):
            stack.enter_context(mock.patch.object(owner, name, new))

        # torch warns of more workers than this machine has cores.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings('ignore', 'This DataLoader will create', UserWarning)
        patch(Runner, 'build_model', _on_meta)
        patch(Runner, 'wrap_model', lambda self, cfg, model: model)
        patch(Runner, '_init_model_weights', lambda self: None)
        patch(Runner, 'load_or_resume', lambda self: None)
        for name in ('IterBasedTrainLoop', 'EpochBasedTrainLoop'):
            patch(LOOPS.get(name), 'run', lambda self: None)
        for cls in {DATASETS.get(name) for name in DATASETS.names()}:
            if 'load_data_list' in vars(cls):
                patch(cls, 'load_data_list', _eight_samples)
        yield


def said_of(slip: Slip, work_dir: Path) -> Exception | None:
    """What training says of a slip."""
    with written(slip.file, slip.text):
        return said(slip.leaf, work_dir)


def said(leaf: Path, work_dir: Path) -> Exception | None:
    """What training says of a config; None where it would start."""
    try:
        train(str(leaf), work_dir=str(work_dir), doctor=False)
    except Exception as error:  # what is looked for here
        return error
    return None


# --- judging -----------------------------------------------------------------------------------

def faults(slip: Slip, error: Exception | None) -> list[str]:
    """What is missing in an answer: 'named', 'place', 'suggestion'."""
    if not isinstance(error, ConfigError):
        return ['named']
    found = []
    if not _is_at(error, slip):
        found.append('place')
    if slip.meant and slip.meant not in re.findall(r"'([^']+)'", str(error.fix))[:3]:
        found.append('suggestion')
    return found


def _is_at(error: ConfigError, slip: Slip) -> bool:
    """What is missing is missed where the rest is written, or its type, perhaps in another file."""
    if error.where in {f'{slip.file}:{line}' for line in slip.lines}:
        return True
    if slip.kind != 'drop' or not error.where or not error.component:
        return False
    file, _, line = error.where.rpartition(':')
    text = Path(file).read_text().splitlines()[int(line) - 1]
    kind = error.component.get('type')
    return f"'{kind}'" in text if kind else bool(re.match(r'\w+_dataloader = ', text))
