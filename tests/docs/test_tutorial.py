"""The tutorial's cells run in order, as they stand, and its pictures show themselves."""

import ast
import json

import pytest

from segplug.registry import MODELS


def cells(path):
    book = json.loads(path.read_text(encoding='utf-8'))
    assert book['nbformat'] == 4
    return [''.join(cell['source']) for cell in book['cells'] if cell['cell_type'] == 'code']


def run_cell(source, names):
    """Run a cell; what its last expression is, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, 'cell', 'exec'), names)
    return None if last is None else eval(compile(ast.Expression(last.value), 'cell', 'eval'),
                                          names)


@pytest.mark.filterwarnings('ignore:The verbose parameter')
def test_every_cell_runs(repo_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, shown = {}, []
    try:
        for source in cells(repo_root / 'docs' / 'start' / 'tutorial.ipynb'):
            shown.append(run_cell(source, names))
    finally:
        MODELS.module_dict.pop('LastLevelHead', None)
    assert names['run'].checkpoint.is_file()
    assert names['scores']['mIoU'] == names['run'].metrics['mIoU'] > 3
    assert names['result'].probs.shape == (19, 128, 256)
    assert names['result']._repr_png_().startswith(b'\x89PNG')
    assert 'IoU' in names['run']._repr_html_()
    assert shown[1].size == (512, 128)
    assert (tmp_path / 'work_dirs' / 'tutorial' / 'test' / 'metrics.json').is_file()
