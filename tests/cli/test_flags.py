"""All verbs as by one hand: a flag of one name is one flag, and what has no value eats no word."""

import argparse
from collections import defaultdict

import pytest

from segplug.cli.common import amp_argument, print_result, spelled_out
from segplug.cli.main import VERBS, main
from tools.docs_site.verbs import parser_of

# These name what the verb itself writes, draws or counts; form and direction are held below.
OWN_WORDS = {'--out', '--keys', '--num', '--seed', '--classes', '--config', '--size'}


def parsers():
    """(verb, parser), those of verbs below a verb too."""
    for verb in VERBS:
        parser = parser_of(verb)
        yield verb, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from ((f'{verb} {name}', inner) for name, inner in action.choices.items())


def flags():
    """{flag: {verb: its action}}."""
    found = defaultdict(dict)
    for verb, parser in parsers():
        for action in parser._actions:
            for flag in action.option_strings:
                found[flag][verb] = action
    return found


def test_a_flag_of_one_name_means_one_thing():
    for flag, verbs in flags().items():
        says = {(a.help if flag not in OWN_WORDS else None, a.nargs if flag != '--config' else None,
                 a.type, str(a.choices)) for a in verbs.values()}
        assert len(says) == 1, f'{flag} differs in {sorted(verbs)}: {says}'


def test_what_is_written_is_a_folder_a_file_or_either():
    kinds = {a.metavar.partition('.')[0] for a in flags()['--out'].values()}
    assert kinds <= {'DIR', 'FILE', 'PATH'}


def test_every_flag_and_argument_says_what_it_is():
    for verb, parser in parsers():
        for action in parser._actions:
            assert action.help, f'{verb}: {action.dest} has no help'
            if action.help is not argparse.SUPPRESS and action.option_strings:
                assert action.nargs == 0 or action.metavar or action.choices, \
                    f'{verb} {action.option_strings}: no word for its value'
            if not action.option_strings and not isinstance(action, argparse._SubParsersAction):
                assert str(action.metavar).isupper(), f'{verb}: {action.dest} is not in capitals'


def test_a_default_is_said_in_the_same_words():
    """'...; 5 by default', 'by default the config's': never a bare number behind a semicolon."""
    for verb, parser in parsers():
        for action in parser._actions:
            said = str(action.help)
            if action.option_strings and action.default not in (None, False, 0., '', []):
                assert 'by default' in said or action.default == argparse.SUPPRESS, \
                    f'{verb} {action.option_strings}: {said}'


@pytest.mark.parametrize(('given', 'read'), [
    (['--amp', 'c.py', 'x.pth'], 'auto'), (['c.py', '--amp', 'x.pth'], 'auto'),
    (['c.py', 'x.pth', '--amp'], 'auto'), (['--amp', 'bf16', 'c.py', 'x.pth'], 'bf16'),
    (['--amp=fp16', 'c.py', 'x.pth'], 'fp16'), (['c.py', 'x.pth'], None)])
def test_a_flag_with_an_optional_value_leaves_the_config_alone(given, read):
    parser = parser_of('test')
    args = parser.parse_args(spelled_out(parser, given))
    assert (args.config, args.checkpoint, args.amp) == ('c.py', 'x.pth', read)
    assert amp_argument(args) == {'auto': True, None: False}.get(read, read)


def test_a_result_is_printed_or_written_or_both(tmp_path, capsys):
    data = dict(a=[1.5, float('nan')], b='ä')
    expected = '{\n  "a": [\n    1.5,\n    null\n  ],\n  "b": "ä"\n}\n'
    print_result('text', data, '-')
    assert capsys.readouterr().out == expected
    file = tmp_path / 'deep' / 'x.json'
    print_result('text', data, str(file))
    assert capsys.readouterr().out == f'text\nWritten to {file}\n'
    assert file.read_text(encoding='utf-8') == expected


def test_a_folder_is_no_file_for_the_result(capsys):
    with pytest.raises(SystemExit) as done:
        main(['zoo', '--json', '.'])
    assert done.value.code == 2
    assert '. is a folder; expected a file to write, or -' in capsys.readouterr().err
