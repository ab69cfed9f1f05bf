"""The front door: verbs, help, exit codes, and one paragraph for each of our errors."""

import json
import subprocess
import sys

import pytest

from segplug.cli.main import VERBS, main


def run(*argv, **kwargs):
    return subprocess.run([sys.executable, '-m', 'segplug.cli.main', *argv], capture_output=True,
                          text=True, check=False, **kwargs)


def test_help_lists_every_verb_and_imports_no_torch():
    code = ('import sys; from segplug.cli.main import main; main(["--help"]); '
            'assert "torch" not in sys.modules and "mmengine" not in sys.modules')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    for verb in VERBS:
        assert f'  {verb} ' in done.stdout


@pytest.mark.parametrize('verb', sorted(VERBS))
def test_each_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as done:
        main([verb, '--help'])
    assert done.value.code == 0
    assert f'segplug {verb} ' in capsys.readouterr().out.split('example:')[1]


def test_an_unknown_verb_suggests_one(capsys):
    assert main(['trian']) == 2
    assert "'train'" in capsys.readouterr().err


def test_our_error_is_one_paragraph_and_exit_code_1():
    done = run('train', 'no/such_config.py')
    assert done.returncode == 1
    assert done.stderr.startswith("ConfigError: There is no config 'no/such_config.py'.")
    assert 'Traceback' not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_under_our_launcher_the_error_goes_to_its_file(tmp_path, monkeypatch, capsys):
    file = tmp_path / 'error.json'
    monkeypatch.setenv('TORCHELASTIC_ERROR_FILE', str(file))
    monkeypatch.setenv('SEGPLUG_LAUNCHER', '1')
    assert main(['train', 'no/such_config.py']) == 1
    assert 'no/such_config.py' in json.loads(file.read_text())['message']['message']
    assert capsys.readouterr().err == ''


def test_a_size_is_read_or_refused():
    done = run('make-minicity', 'nowhere', '--size', '256')
    assert done.returncode == 1
    assert 'WxH' in done.stderr
