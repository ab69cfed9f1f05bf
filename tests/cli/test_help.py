"""The text above the flags: filled to the terminal, lists and examples as they stand."""

import subprocess
import sys

import pytest

from segplug.cli.help import description, parser_for
from segplug.cli.main import VERBS
from tools.docs_site.verbs import parser_of

TOOLS = ('tools/train.py', 'tools/test.py', 'tools/predict.py', 'tools/score.py',
         'tools/analysis_tools/analyze_logs.py', 'tools/analysis_tools/benchmark.py',
         'tools/analysis_tools/confusion_matrix.py', 'tools/analysis_tools/get_flops.py',
         'tools/analysis_tools/visualization_cam.py', 'tools/dataset_converters/minicity.py',
         'tools/deployment/pytorch2torchscript.py', 'tools/misc/print_config.py')


def test_paragraphs_are_filled_and_indented_lines_stay():
    doc = '''Say ``hello`` to
    all.

    Then:

        go  on
    '''
    assert description(doc, width=10) == 'Say hello\nto all.\n\nThen:\n\n    go  on'
    assert description(None) == ''


def test_examples_stay_as_they_stand(monkeypatch):
    monkeypatch.setenv('COLUMNS', '30')
    text = parser_for('x', 'One two three four five six.', 'example:\n  x --y  z').format_help()
    assert ' '.join(text.split('\n\n')[1].split()) == 'One two three four five six.'
    assert text.endswith('example:\n  x --y  z\n')


@pytest.mark.parametrize('verb', sorted(VERBS))
def test_help_fits_into_eighty_columns(verb, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    lines = parser_of(verb).format_help().splitlines()
    # A long path is alone on its line, with the backslash behind it.
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 2] == []


@pytest.mark.parametrize('tool', TOOLS)
def test_each_tool_has_help_with_an_example(tool, repo_root):
    done = subprocess.run([sys.executable, tool, '--help'], cwd=repo_root, capture_output=True,
                          text=True, check=True)
    assert 'example:\n' in done.stdout
    assert '``' not in done.stdout
