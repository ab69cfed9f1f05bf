"""The examples of ``segplug VERB --help``: their flags are the verb's, their configs load."""

import pytest
from block_parsing import check_command
from blocks import commands
from docs_site.verbs import parser_of

from segplug.cli.main import VERBS


def example(verb):
    return parser_of(verb).epilog.removeprefix('example:\n')


@pytest.mark.parametrize('verb', VERBS)
def test_an_example_is_parsed(verb, tmp_path):
    found = commands(example(verb))
    assert any(words[:2] == ['segplug', verb] for words in found)
    for words in found:
        check_command(words, tmp_path)
