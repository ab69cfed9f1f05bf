"""mmsegmentation's script of this name: its arguments, as those of `segplug export`."""

import runpy
import sys

import pytest

from segplug.cli import main as cli
from segplug.cli.main import VERBS, main


@pytest.mark.parametrize(('given', 'shape'), [
    ([], ['512', '512']), (['--shape', '64'], ['64', '64']),
    (['--shape', '64', '128', '--verify'], ['64', '128'])])
def test_arguments(given, shape, repo_root, monkeypatch):
    calls = []
    monkeypatch.setattr(cli, 'main', lambda argv: calls.append(argv) or 0)
    monkeypatch.setattr(sys, 'argv', ['x', 'c.py', '--checkpoint', 'c.pth', *given])
    script = repo_root / 'tools' / 'deployment' / 'pytorch2torchscript.py'
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name='__main__')
    assert ended.value.code == 0
    assert calls == [['export', 'c.py', 'c.pth', '--format', 'torchscript', '--upsample',
                      '--overwrite', '--out', 'tmp.pt', '--shape', *shape]]


def test_those_are_flags_of_the_verb(capsys):
    assert 'export' in VERBS
    assert main(['export', 'nowhere.py', 'c.pth', '--format', 'torchscript', '--upsample',
                 '--overwrite', '--out', 'tmp.pt', '--shape', '64', '128']) == 1
    assert 'c.pth cannot be loaded' in capsys.readouterr().err
