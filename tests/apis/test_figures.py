"""What the analysis verbs write: by the ending, whole, with any words in it."""

import csv
import io
import os

import pytest

from segplug.apis.figures import csv_bytes, picture, plain, window, written
from segplug.errors import ConfigError, OutputError


def draw(make):
    made = make(figsize=(1, 1))
    made.suptitle(plain('a $ \x00 \udcff 中文 \N{ALIEN MONSTER}'))
    return made


@pytest.mark.parametrize(('name', 'start'), [
    ('a.png', b'\x89PNG'), ('b.PDF', b'%PDF'), ('c.jpg', b'\xff\xd8'), ('d.jpeg', b'\xff\xd8'),
    ('deep/e.csv', b'made by hand')])
def test_the_ending_says_the_kind(tmp_path, name, start):
    path = written(tmp_path / name, {'.csv': lambda: b'made by hand'}, draw)
    assert path.read_bytes().startswith(start)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_cannot_be_written(tmp_path):
    for name in ('a.gif', 'a'):
        with pytest.raises(ConfigError, match=r'ends in \.png, \.pdf, \.jpg, \.jpeg, \.csv'):
            written(tmp_path / name, {'.csv': bytes}, draw)
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(ConfigError, match='a folder'):
        written(tmp_path / 'folder.png', {}, draw)
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='cannot be written'):
        written(tmp_path / 'file' / 'a.csv', {'.csv': bytes}, draw)


def test_a_window_that_cannot_be_opened():
    from matplotlib import pyplot
    before = pyplot.get_fignums()
    for backend in ('agg', 'nonsense'):
        with pytest.raises(ConfigError, match='No window can be opened here'):
            window(draw, backend)
    assert pyplot.get_fignums() == before  # which pyplot would keep


def test_cells_of_any_words():
    lines = [['a,b', 'x "y"'], [os.fsdecode(b'v\xff'), 1.5]]
    data = csv_bytes(lines)
    assert data == b'"a,b","x ""y"""\nv\xff,1.5\n'
    read = csv.reader(io.StringIO(data.decode('utf-8', 'surrogateescape')))
    assert list(read) == [['a,b', 'x "y"'], [lines[1][0], '1.5']]


def test_words_are_no_formula():
    assert plain('$x$ \x07\udcff') == '\\$x\\$ \ufffd\ufffd'
    assert picture(draw, 'png')
