"""The verbs of ``segplug``: their parsers, and a page for each from its ``--help``."""

import argparse
import os
from unittest import mock

from segplug.cli.main import VERBS, main, overview

FOLDER = 'reference/commands'
WIDTH = '80'  # what fits beside the navigation


class _Made(Exception):
    """Carries the parser out of the program that made it."""


def parser_of(verb: str) -> argparse.ArgumentParser:
    """The parser that ``segplug VERB`` reads its arguments with, its text filled to the width."""

    def stop(parser, *_, **__):
        raise _Made(parser)

    with mock.patch.object(argparse.ArgumentParser, 'parse_args', stop), \
            mock.patch.dict(os.environ, COLUMNS=WIDTH):
        try:
            main([verb])
        except _Made as made:
            return made.args[0]
    raise ValueError(f'segplug {verb} makes no parser')


def help_of(parser: argparse.ArgumentParser) -> str:
    """The text of ``--help`` at a fixed width, those of verbs below this one after it."""
    with mock.patch.dict(os.environ, COLUMNS=WIDTH):
        texts = [parser.format_help().rstrip()]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts += [help_of(inner) for inner in action.choices.values()]
    return f'\n\n{"-" * 24}\n\n'.join(texts)


def pages() -> dict[str, str]:
    """Path of the page -> markdown, for every verb."""
    return {f'{FOLDER}/{verb}.md': f'---\ntitle: {verb}\n---\n# segplug {verb}\n\n{_sentence(text)}'
                                   f'\n\n```text\n{help_of(parser_of(verb))}\n```\n'
            for verb, (_, text) in VERBS.items()}


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:]}{"" if text.endswith("?") else "."}'


def index() -> str:
    """The table of verbs, and ``segplug --help`` as it stands."""
    rows = '\n'.join(f'| [{verb}](commands/{verb}.md) | {text} |'
                     for verb, (_, text) in VERBS.items())
    return f'| verb | |\n|---|---|\n{rows}\n\n```text\n{overview().rstrip()}\n```\n'
