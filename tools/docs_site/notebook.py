"""A notebook as a page of the site: text, code, and what the cells show where that is kept."""

import html
import json
import re
from pathlib import Path


def page(path: Path) -> str:
    """The cells of a notebook as markdown.

    Args:
        path: An .ipynb of format 4. Of an output the picture is taken, else what our results print,
            else the plain text.
    """
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    parts = [part for cell in cells for part in _cell(cell)]
    note = f'*A notebook, to be opened and run: <a href="{path.name}" download>{path.name}</a>*'
    heading, _, rest = parts[0].partition('\n')
    return '\n\n'.join([heading, note, rest.strip(), *parts[1:]]) + '\n'


def _cell(cell: dict) -> list[str]:
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown':
        return [source]
    return [f'```python\n{source}\n```', *(text for output in cell.get('outputs', ())
                                           if (text := _output(output)))]


def _output(output: dict) -> str:
    data = output.get('data', {'text/plain': output.get('text', '')})
    if 'image/png' in data:
        picture = ''.join(data['image/png']).replace('\n', '')
        return f'![what the cell shows](data:image/png;base64,{picture})'
    printed = re.fullmatch('<pre[^>]*>(.*)</pre>', ''.join(data.get('text/html', '')), re.DOTALL)
    text = html.unescape(printed[1]) if printed else ''.join(data.get('text/plain', '')).rstrip()
    return f'```text\n{text}\n```' if text else ''
