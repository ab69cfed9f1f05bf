"""A notebook's page: text and code as they stand, pictures inside, and what our results print."""

import base64
import json

from blocks import ROOT
from docs_site import links, notebook

PNG = base64.b64encode(b'\x89PNG').decode()
CELLS = [
    dict(cell_type='markdown', source=['# A\n', '\n', 'b']),
    dict(cell_type='code', source=['x\n', 'y'], outputs=[
        dict(output_type='stream', text=['said\n']),
        dict(data={'text/plain': ['R(1)'], 'text/html': ['<pre style="a">a &lt; b</pre>']}),
        dict(data={'text/plain': ['<Image>'], 'image/png': PNG})]),
    dict(cell_type='code', source=['z'], outputs=[dict(data={'text/plain': ['3']})])]


def test_cells_become_a_page(tmp_path):
    (tmp_path / 'n.ipynb').write_text(json.dumps(dict(cells=CELLS)))
    assert notebook.page(tmp_path / 'n.ipynb').split('\n\n') == [
        '# A', '*A notebook, to be opened and run: <a href="n.ipynb" download>n.ipynb</a>*', 'b',
        '```python\nx\ny\n```', '```text\nsaid\n```', '```text\na < b\n```',
        f'![what the cell shows](data:image/png;base64,{PNG})',
        '```python\nz\n```', '```text\n3\n```\n']


def test_links_lead_to_the_page():
    assert links.page_of('docs/start/tutorial.ipynb') == 'start/tutorial.md'


def test_the_tutorial_shows_what_it_made_and_no_place_of_a_machine():
    book = json.loads((ROOT / 'docs' / 'start' / 'tutorial.ipynb').read_text())
    shown = [output['data'] for cell in book['cells'] for output in cell.get('outputs', ())
             if 'data' in output]
    assert sum('image/png' in data for data in shown) == 2
    text = ''.join(''.join(value) for data in shown for kind, value in data.items()
                   if kind.startswith('text'))
    assert 'Trained: work_dirs/tutorial/iter_100.pth' in text
    assert '/tmp' not in text
    assert '/home' not in text
