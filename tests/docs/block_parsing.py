"""What can be checked of a block that is not run: flags, configs, names of files and components."""

import argparse
import ast
import configparser
import importlib.util
import re
from pathlib import Path
from unittest import mock

from blocks import ROOT, Block, assigned, commands
from docs_site.verbs import parser_of

from segplug import arguments, registry
from segplug.apis.config import load_config, parse_options
from segplug.apis.places import shipped_configs
from segplug.cli.main import VERBS

# A word in capitals stands for what the reader has: CONFIG, CHECKPOINT, IMAGES...
PLACEHOLDER = re.compile(r'[A-Z][A-Z_]*(\.\.\.|\.json)?$')
CONFIG = 'unet/unet_r18_minicity.py'
# Scripts of tools/ and the verb whose arguments they hand on, from which word on.
SCRIPTS = {'dist_train.sh': 'train', 'dist_test.sh': 'test', 'slurm_train.sh': 'train',
           'slurm_test.sh': 'test'}
OTHERS = {'cd', 'git', 'ls', 'awk', 'export', 'source', 'pre-commit', 'conda', '.venv/bin/ruff',
          '.venv/bin/codespell', 'sbatch', 'eval'}


class WrongFlags(Exception):
    """What argparse says of a command."""


def check(block: Block, folder: Path) -> None:
    """Raise where a block says what is not so; ``folder`` is where its page's files are."""
    if block.language == 'bash':
        for words in commands(block.text):
            check_command(words, folder)
    elif block.language == 'python':
        check_python(block, folder)
    elif block.language == 'ini':
        configparser.ConfigParser().read_string(block.text)
    else:
        raise ValueError(f'{block.place}: {block.language!r} cannot be parsed; is it text?')


def check_command(words: list[str], folder: Path) -> None:
    """One command of a shell block."""
    _, words = assigned(words)
    if not words:
        return
    name, rest = words[0], words[1:]
    if name == 'segplug':
        check_verb(rest, folder)
    elif name in ('bash', 'sbatch') and rest[0].startswith('tools/'):
        _exists(rest[0])
        check_script(rest, folder)
    elif name in ('python', 'torchrun'):
        check_program(rest, folder)
    elif name == 'pip':
        check_extras(rest)
    elif name not in OTHERS:
        raise ValueError(f'{name!r} is no command that can be parsed')


def check_verb(words: list[str], folder: Path) -> argparse.Namespace | None:
    """``segplug ...``: the flags are the verb's, the config loads, its options are keys of it."""
    if words[0] in ('--help', '--version'):
        return None
    if words[0] not in VERBS:
        raise ValueError(f'there is no verb {words[0]!r}')
    if '--help' in words:
        return None
    parser = parser_of(words[0])
    with mock.patch.object(argparse.ArgumentParser, 'error', _raise):
        args = parser.parse_args(words[1:])
    if words[0] != 'migrate':  # whose configs are not ours yet
        check_config(args, folder)
    return args


def _raise(parser, message: str):
    raise WrongFlags(f'{parser.prog}: {message}')


def check_config(args: argparse.Namespace, folder: Path) -> None:
    """The config that a command names loads with its options, and they override something."""
    name, options = getattr(args, 'config', None), getattr(args, 'cfg_options', [])
    if name is None or name.endswith(('.pth', '.safetensors')) or name == 'CHECKPOINT':
        return
    if PLACEHOLDER.match(name):
        name = CONFIG
    own = folder / name
    cfg = load_config(own if own.is_file() else name)
    for key in parse_options(options):
        node = cfg
        for part in key.split('.')[:-1]:
            node = node[int(part) if part.isdigit() else part]
    load_config(own if own.is_file() else name, options=parse_options(options))


def check_script(words: list[str], folder: Path) -> None:
    """``bash tools/SCRIPT ...``; paths that it is given have to be there."""
    script = Path(words[0]).name
    if script in SCRIPTS:
        check_verb([SCRIPTS[script], *of_verb(script, words[1:])], folder)
    else:
        for word in words[1:]:
            if word.startswith('tests/'):
                _exists(word)


def of_verb(script: str, words: list[str]) -> list[str]:
    """The arguments that a script of tools/ hands on, without its own."""
    if words == ['...']:
        return ['CONFIG', 'CHECKPOINT'][:1 + script.endswith('test.sh')]
    if script.startswith('slurm'):
        return words[2:]
    where = 1 if script == 'dist_train.sh' else 2
    if not words[where].isdigit():
        raise ValueError(f'{script}: {words[where]!r} is no number of processes')
    return [*words[:where], *words[where + 1:]]


def check_program(words: list[str], folder: Path) -> None:
    """``python [-m MODULE | -c CODE | FILE] ...``."""
    if words[0] == '-c':
        compile(words[1], '<block>', 'exec')
        return
    for i, word in enumerate(words):
        if word == '-m':
            if importlib.util.find_spec(words[i + 1]) is None:
                raise ValueError(f'there is no module {words[i + 1]}')
        elif word.endswith('.py') and i == 0:
            _exists(word)
            if Path(word).parts[0] == 'tools' and Path(word).stem in VERBS:
                check_verb([Path(word).stem, *words[1:]], folder)
                return
            source = (ROOT / word).read_text()
            for flag in (w.partition('=')[0] for w in words[1:] if w.startswith('--')):
                if f"'{flag}'" not in source:
                    raise ValueError(f'{word} has no flag {flag}')


def check_extras(words: list[str]) -> None:
    """``pip install segplug[a,b]``: setup.cfg has these extras."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    for found in re.finditer(r'segplug\[([\w,]+)\]', ' '.join(words)):
        for extra in found[1].split(','):
            if extra not in setup['options.extras_require']:
                raise ValueError(f'segplug has no extra {extra!r}')


def check_python(block: Block, folder: Path) -> None:
    """A config loads; of a part of one, every dict with a type has arguments of that type."""
    text = re.sub(r',\s*\.\.\.\s*(?=[)\]])|\.\.\.,\s*', '', block.text)
    if '_base_' in text:
        path = folder / 'block.py'
        path.write_text(text)
        load_config(path)
        return
    if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(text))):
        raise ValueError(f'{block.place}: code that imports is run, or left as text')
    namespace = {}
    exec(compile(text, block.place, 'exec'), namespace)
    for name, value in namespace.items():
        if name != '__builtins__':
            check_types(value, block.place)


def check_types(value, place: str) -> None:
    """Every dict with a ``type`` inside has arguments that the component takes."""
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            cls = component(value['type'])
            if cls is None:
                raise ValueError(f"{place}: there is no component {value['type']!r}")
            taken = arguments.parameters(cls)
            if taken is not None:
                registry.check_values({k: v for k, v in value.items() if k != 'type'}, cls, taken)
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            check_types(item, place)


def component(name: str):
    """The class that a name of a config means, in whichever registry."""
    for found in vars(registry).values():
        if isinstance(found, registry.Registry):
            found.import_from_location()
            if (cls := found.get(name)) is not None:
                return cls
    return None


def _exists(path: str) -> None:
    if not (ROOT / path).exists() and not (shipped_configs() / path).exists():
        raise ValueError(f'{path} is not in the repository')
