"""Tables of classes: names and colours in a file, ours and a user's read alike.

CSV with a header: ``name``, and ``r``, ``g``, ``b`` (0 to 255) where there are colours. JSON: a
list of names, or an object with ``classes`` and ``palette``. Other files: one name a line. Row i,
from 0, is the class of label value i. Names are kept as they are written, blanks too.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from mmengine import fileio

from ..errors import ConfigError

_COLOUR = ('r', 'g', 'b')
_TABLES = Path(__file__).with_name('tables')


def shipped(name: str, first: int = 0) -> dict:
    """METAINFO of a table in ``tables/``, from row ``first`` on."""
    table = parse_classes((_TABLES / f'{name}.csv').read_text(encoding='utf-8'), f'{name}.csv')
    return {key: values[first:] for key, values in table.items()}


def find_table(name: str, folders: Sequence[str], backend_args: dict | None = None) -> dict:
    """The classes in the file ``name``, in the first of ``folders`` that holds it.

    Raises:
        ConfigError: None does, or the file is malformed.
    """
    tried = [fileio.join_path(folder, name, backend_args=backend_args) if folder else name
             for folder in dict.fromkeys(folders)]
    for path in tried:
        if fileio.isfile(path, backend_args=backend_args):
            try:
                text = fileio.get(path, backend_args=backend_args).decode('utf-8-sig')
            except UnicodeDecodeError as error:
                raise _wrong(path, 'is no UTF-8 text', fix='save it as UTF-8') from error
            return parse_classes(text, path)
    lost = next((folder for folder in folders
                 if folder and not fileio.isdir(folder, backend_args=backend_args)), None)
    raise ConfigError(
        f'The file of class names {name!r} does not exist.', culprit=name,
        got=f'nothing at {" or ".join(tried)}' + (f'; there is no folder {lost}' if lost else ''),
        fix='correct data_root (or --data-root DIR)' if lost else
        "correct its path, or give the names themselves: metainfo=dict(classes=('a',))")


def parse_classes(text: str, source: str) -> dict:
    """``classes`` (tuple of str) and, where the table has colours, ``palette`` (K lists of RGB).

    Args:
        text: What the file holds.
        source: Its name: the extension says the kind, and errors name it.

    Raises:
        ConfigError: No class, an empty name, a name twice, or a colour that is none.
    """
    kind = Path(source).suffix.lower()
    try:
        found = {'.csv': _from_csv, '.json': _from_json}.get(kind, _from_lines)(text, source)
    except (csv.Error, json.JSONDecodeError) as error:
        raise _wrong(source, f'cannot be read: {error}') from error
    names = found['classes']
    if not names:
        raise _wrong(source, 'holds no class')
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise _wrong(source, f'has no name for class {i}', got=repr(name))
        if name in names[:i]:
            raise _wrong(source, f'has the class {name!r} twice',
                         got=f'classes {names.index(name)} and {i}')
    return found


def _from_csv(text: str, source: str) -> dict:
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    colours = [column for column in _COLOUR if column in header]
    if 'name' not in header or len(colours) not in (0, 3):
        raise _wrong(source, 'has another header', got=','.join(header) or 'nothing',
                     expected='name,r,g,b (or name alone), separated by commas')
    for i, row in enumerate(rows[1:]):
        if len(row) != len(header):
            raise _wrong(source, f'has {len(row)} cells in the row of class {i}',
                         got=','.join(row), expected=f'{len(header)}: {",".join(header)}')
    table = [dict(zip(header, row, strict=True)) for row in rows[1:]]
    for i, row in enumerate(table):
        if row.get('id', str(i)).strip() != str(i):
            raise _wrong(source, f'gives class {i} the id {row["id"]}', expected='0, 1, 2 ... in '
                         'order', fix='order the rows by id, a row for each')
    found = dict(classes=tuple(row['name'] for row in table))
    if colours:
        found['palette'] = [_colour([row[c] for c in _COLOUR], i, source)
                            for i, row in enumerate(table)]
    return found


def _from_json(text: str, source: str) -> dict:
    data = json.loads(text)
    if isinstance(data, list):
        data = dict(classes=data)
    if not isinstance(data, dict) or not isinstance(data.get('classes'), list) \
            or not isinstance(data.get('palette') or [], list):
        raise _wrong(source, 'has another form', expected='["a", "b"], or {"classes": '
                     '["a", "b"], "palette": [[0, 0, 0], [255, 0, 0]]}')
    found, palette = dict(classes=tuple(data['classes'])), data.get('palette')
    if palette is not None:
        if len(palette) != len(found['classes']):
            raise _wrong(source, f'has {len(palette)} colours for {len(found["classes"])} classes')
        found['palette'] = [_colour(rgb, i, source) for i, rgb in enumerate(palette)]
    return found


def _from_lines(text: str, source: str) -> dict:
    # Blank lines at the end are none; one between names would shift the ids behind it.
    return dict(classes=tuple(text.rstrip('\r\n').splitlines()))


def _colour(cells: Sequence, index: int, source: str) -> list[int]:
    try:
        rgb = [int(str(cell)) for cell in cells]
    except (TypeError, ValueError):
        rgb = []
    if len(rgb) != 3 or not all(0 <= value <= 255 for value in rgb):
        raise _wrong(source, f'has no colour for class {index}', got=cells,
                     expected='three whole numbers from 0 to 255: red, green, blue')
    return rgb


def _wrong(source: str, what: str, **more) -> ConfigError:
    return ConfigError(f'The table of classes {source} {what}.', **more)
