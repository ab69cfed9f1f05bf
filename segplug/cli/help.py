"""What ``--help`` shows of any command: what it does, as wide as the terminal, its flags, examples.

Everything that reads arguments makes its parser here, so that all of them read alike.
"""

import argparse
import inspect
import shutil
import textwrap


def parser_for(prog: str, text: str | None, example: str | None = None) -> argparse.ArgumentParser:
    """A parser without arguments yet.

    Args:
        prog: What is typed to call it: 'segplug train'.
        text: A docstring: what it does.
        example: 'example:' and lines of commands, which are shown as they stand.
    """
    return argparse.ArgumentParser(prog=prog, description=description(text), epilog=example,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def description(text: str | None, width: int | None = None) -> str:
    """A docstring for a terminal: no double backticks, paragraphs filled to ``width``.

    Paragraphs with indented lines stay as they are. By default the width is the terminal's, less
    what argparse leaves free.
    """
    width = width or max(shutil.get_terminal_size().columns - 2, 20)
    paragraphs = inspect.cleandoc(text or '').replace('``', '').split('\n\n')
    return '\n\n'.join(part if '\n ' in f'\n{part}' else textwrap.fill(part, width)
                       for part in paragraphs)
