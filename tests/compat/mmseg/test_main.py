"""Scripts and modules with the names lent."""

import pytest

SCRIPT = """
import sys
import beside
from mmseg.registry import MODELS
print(__name__, sys.argv[1:], MODELS.scope, beside.NAME)
"""


@pytest.fixture
def main(lent, monkeypatch):
    from segplug.compat.mmseg.__main__ import main
    monkeypatch.setattr('sys.argv', ['x'])
    monkeypatch.setattr('sys.path', list(__import__('sys').path))
    return main


def test_a_script_finds_what_lies_beside_it(main, tmp_path, capsys):
    (tmp_path / 'script.py').write_text(SCRIPT)
    (tmp_path / 'beside.py').write_text("NAME = 'beside'")
    assert main([str(tmp_path / 'script.py'), '--lr', '-m']) == 0
    assert capsys.readouterr().out == "__main__ ['--lr', '-m'] segplug beside\n"


def test_a_module(main, tmp_path, capsys, monkeypatch):
    (tmp_path / 'lent_module.py').write_text(SCRIPT.replace('beside', 'sys').replace('.NAME', ''))
    monkeypatch.syspath_prepend(tmp_path)
    assert main(['-m', 'lent_module', 'a']) == 0
    assert capsys.readouterr().out.startswith("__main__ ['a'] segplug")


@pytest.mark.parametrize('argv', [[], ['-m'], ['nowhere.py']])
def test_without_a_program_it_says_what_it_takes(main, capsys, argv):
    assert main(argv) == 2
    assert 'usage: python -m segplug.compat.mmseg' in capsys.readouterr().err
