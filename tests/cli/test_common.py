"""Flags shared by the verbs, and starting a verb on several processes."""

import argparse

import pytest

from segplug.cli import launch
from segplug.cli.common import (
    _without,
    add_config_arguments,
    add_launch_arguments,
    config_arguments,
    relaunched,
)


@pytest.mark.parametrize(('given', 'kept'), [
    (['train', '--nproc', '2', 'c.py'], ['train', 'c.py']),
    (['train', '--nproc=2', 'c.py', '--amp'], ['train', 'c.py', '--amp']),
    (['train', 'c.py', '--nproc', '2'], ['train', 'c.py']),
])
def test_relaunching_takes_the_flag_out(given, kept):
    assert _without(given, '--nproc') == kept


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    add_launch_arguments(parser)
    return lambda *argv: parser.parse_args(argv)


def test_nproc_starts_the_same_command_without_itself(parse, monkeypatch):
    started = {}
    monkeypatch.setattr(launch, 'launch', lambda argv, nproc: started.update(argv=argv, n=nproc))
    relaunched(parse('c.py', '--nproc', '3'), ['train', 'c.py', '--nproc', '3', '--amp'])
    assert started == dict(n=3, argv=['-m', 'segplug.cli.main', 'train', 'c.py', '--amp',
                                      '--launcher', 'pytorch'])


def test_without_nproc_this_process_does_the_work(parse):
    assert relaunched(parse('c.py'), ['train', 'c.py']) is None


def test_options_and_root_become_keyword_arguments(parse):
    args = parse('c.py', '--data-root', 'D', '--cfg-options', 'a.b=1', 'c=[2,3]')
    assert config_arguments(args) == dict(data_root='D', options={'a.b': 1, 'c': [2, 3]})


def test_the_flag_that_old_launchers_add_is_taken(parse):
    assert parse('c.py', '--local_rank=1').local_rank == 1
