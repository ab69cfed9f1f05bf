"""Confusion matrices at any number of classes: counts to the unit, names that can be read."""

import csv
import json
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from segplug.apis import confusion
from segplug.apis.confusion_figure import labelled, short
from segplug.cli.main import main
from segplug.errors import ConfigError, DataError

# Of 4 sky pixels 3 are right, of 10 road pixels 4; nothing is labelled as sea.
MATRIX = np.array([[3, 1, 0], [4, 4, 2], [0, 0, 0]])
CLASSES = 'sky,road,sea'


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / 'm.npy', MATRIX)
    return tmp_path / 'm.npy'


def test_what_is_printed(file):
    """4 of 10 road pixels as sky are 40 %, 1 of 4 sky pixels as road 25 %, 2 of 10 are 20 %."""
    assert str(confusion(file, classes=CLASSES, num=2)).splitlines() == [
        f'{file}: 3 classes, 14 pixels, 50.00 % of them right',
        'Without a labelled pixel: sea',
        'The 2 largest confusions, by share of the class:',
        '+-------+-----------+----------------+--------+',
        '| Truth | Taken for | % of the truth | Pixels |',
        '+-------+-----------+----------------+--------+',
        '| road  | sky       |          40.00 |      4 |',
        '| sky   | road      |          25.00 |      1 |',
        '+-------+-----------+----------------+--------+']


def test_extremes_are_told(tmp_path):
    np.save(tmp_path / 'm.npy', np.array([[7]]))
    assert str(confusion(tmp_path / 'm.npy')).endswith(
        'm.npy: 1 class, 7 pixels, 100.00 % of them right\nNo pixel is confused.')
    np.save(tmp_path / 'm.npy', np.zeros((2, 2), int))
    assert str(confusion(tmp_path / 'm.npy')).endswith('m.npy: 2 classes, 0 pixels')


@pytest.mark.parametrize('num', [1, 2, 19, 150, 300])
def test_a_picture_at_any_number_of_classes(tmp_path, num):
    """No more than 18 inches of 150 pixels for the square, and some for names and scale."""
    counts = np.random.default_rng(0).integers(0, 2**40, (num, num))
    np.save(tmp_path / 'm.npy', counts)
    found = confusion(tmp_path / 'm.npy', out=str(tmp_path / 'm.png'))
    assert np.array_equal(found.matrix, counts)
    picture = cv2.imread(str(tmp_path / 'm.png'))
    assert 300 < picture.shape[0] < 18 * 150 + 400


@pytest.mark.parametrize(('num', 'side'), [(1, 2.4), (19, 6.5), (52, 18), (150, 18), (300, 18),
                                           (1000, 18)])
def test_names_are_large_enough_and_do_not_touch(num, side):
    every, size = labelled(num, side)
    assert 5 <= size <= 9
    assert every * 72 * side / num >= 1.1 * size
    assert every == 1 or num > 200


@pytest.mark.parametrize('normalize', ['rows', 'columns', 'none'])
@pytest.mark.parametrize('kind', ['png', 'svg', 'html', 'csv', 'npy'])
def test_files(file, tmp_path, kind, normalize):
    out = tmp_path / f'deep/x.{kind}'
    confusion(file, out=str(out), normalize=normalize, classes=CLASSES, title='a $ title')
    if kind == 'npy':
        assert np.array_equal(np.load(out), MATRIX)
    elif kind == 'csv':
        assert list(csv.reader(out.read_text().splitlines()))[2] == ['road', '4', '4', '2']
    elif kind == 'png':
        assert cv2.imread(str(out)) is not None
    else:
        text = out.read_text()
        assert 'data-n="4"' in text
        # Row 4 of 10; column 4 of 7, as sqrt 0.756 on 12 levels: 10; of the largest cell, 4.
        percent = {'rows': ', 40.00 %', 'columns': ', 57.14 %', 'none': ''}[normalize]
        assert f'<title>road as sky: 4 pixels{percent}</title>' in text
        if kind == 'svg':
            ET.fromstring(text)


def test_names_that_no_font_has(file, tmp_path):
    confusion(file, classes='道路,\U0001f600,' + 'x' * 300, out=str(tmp_path / 'm.png'))


def test_names_lie_beside_the_matrix(file, tmp_path):
    assert confusion(file).classes == ('0', '1', '2')
    (tmp_path / 'metrics.json').write_text('{"mIoU": 1, "IoU.a": 1, "IoU.b": 1, "IoU.c,d": null}')
    assert confusion(file).classes == ('a', 'b', 'c,d')
    (tmp_path / 'per_image.csv').write_text('file,"tp.x,y",tp.é,tp.z,fp.x\n', encoding='utf-8')
    assert confusion(file).classes == ('x,y', 'é', 'z')
    (tmp_path / 'per_image.csv').write_text('file,tp.x\n')
    (tmp_path / 'metrics.json').write_text('[')
    assert confusion(file).classes == ('0', '1', '2')


def test_a_folder_of_a_test(file, tmp_path):
    with pytest.raises(DataError, match='holds no confusion_matrix.npy'):
        confusion(tmp_path)
    file.rename(tmp_path / 'confusion_matrix.npy')
    assert np.array_equal(confusion(tmp_path).matrix, MATRIX)


@pytest.mark.parametrize(('array', 'words'), [
    (np.zeros((2, 3), int), 'is no confusion matrix. Got: (2, 3) int64'),
    (np.zeros((0, 0), int), 'is no confusion matrix'), (np.zeros(4, int), 'is no confusion'),
    (np.eye(2) / 2, 'no counts of pixels'), (-np.eye(2, dtype=int), 'no counts of pixels'),
    (np.full((2, 2), np.nan), 'no counts of pixels'), (np.full((1, 1), 1e30), 'no counts'),
    (np.full((2, 2), 2**62), 'more pixels than 64 bits hold'),
    (np.full((1, 1), 2**64 - 1, np.uint64), 'no counts'), (np.array([[None]]), 'cannot be read'),
    (np.array([['a']]), 'is no confusion matrix')])
def test_what_is_no_matrix(tmp_path, array, words):
    np.save(tmp_path / 'm.npy', array)
    with pytest.raises(DataError) as error:
        confusion(tmp_path / 'm.npy')
    assert words in str(error.value)
    assert 'pickle' not in str(error.value)


def test_whole_floats_are_counts(tmp_path):
    np.save(tmp_path / 'm.npy', MATRIX.astype(np.float32))
    assert confusion(tmp_path / 'm.npy').matrix.dtype == np.int64


def test_settings_that_do_not_fit(file, tmp_path):
    for words, given in (('fit the matrix. Got: 2 names. Expected: 3', dict(classes='a,b')),
                         ('normalised so', dict(normalize='row')), ('negative', dict(num=-1)),
                         ("did you mean 'Blues'", dict(theme='blues', out=f'{tmp_path}/x.png')),
                         ("Got: the ending '.gif'", dict(out=str(tmp_path / 'x.gif')))):
        with pytest.raises(ConfigError, match=words):
            confusion(file, **given)
    with pytest.raises(DataError, match='There is no'):
        confusion(tmp_path / 'none')


def test_a_notebook_shows_the_map(file):
    assert 'role="img"' in confusion(file)._repr_html_()


@pytest.mark.parametrize(('value', 'text'), [
    (0, '0'), (999, '999'), (1000, '1.0k'), (1234, '1.2k'), (9949, '9.9k'), (34_600_000, '35M'),
    (999_960, '1.0M'), (5e12, '5.0T')])
def test_short_counts(value, text):
    assert short(value) == text


def test_the_verb(file, tmp_path, capsys):
    out = str(tmp_path / 'x.png')
    assert main(['confusion', str(file), '--out', out, '--json', str(tmp_path / 'x.json'),
                 '--num', '1']) == 0
    assert f'Written to {out}' in capsys.readouterr().out
    found = json.loads((tmp_path / 'x.json').read_text())
    assert found['matrix'] == MATRIX.tolist()
    assert found['largest'] == [dict(truth='1', predicted='0', pixels=4, share=40.0)]
    assert main(['confusion', str(tmp_path / 'none')]) == 1
