"""Tables of classes: what each kind of file says, and a named error for each that is wrong."""

import pytest

from segplug.datasets import BaseSegDataset, CamVidDataset
from segplug.datasets.classes import parse_classes, shipped
from segplug.errors import ConfigError


def test_csv_with_colours():
    found = parse_classes('name,r,g,b\nroad,128,64,128\n"sky, blue",0,0,255\n\n', 'c.csv')
    assert found == dict(classes=('road', 'sky, blue'), palette=[[128, 64, 128], [0, 0, 255]])


def test_csv_of_names_and_columns_that_are_not_for_us():
    found = parse_classes('id, Name ,note\n0,Straße,x\n1,ciel ,\n', 'c.csv')
    assert found == dict(classes=('Straße', 'ciel '))  # names are kept as they are written


@pytest.mark.parametrize('text', ['["a", "b"]', '{"classes": ["a", "b"], "palette": null}'])
def test_json_of_names(text):
    assert parse_classes(text, 'c.json') == dict(classes=('a', 'b'))


def test_json_with_colours():
    text = '{"classes": ["a"], "palette": [[1, 2, 3]]}'
    assert parse_classes(text, 'c.json') == dict(classes=('a',), palette=[[1, 2, 3]])


def test_a_name_per_line():
    assert parse_classes('bed \r\ndining table\r\n\r\n', 'c.txt') == dict(
        classes=('bed ', 'dining table'))


@pytest.mark.parametrize(('name', 'text', 'said'), [
    ('c.csv', '', 'another header. Got: nothing'),
    ('c.csv', 'name;r;g;b\nroad;1;2;3\n', 'another header. Got: name;r;g;b'),
    ('c.csv', 'road,1,2,3\n', 'expected: name,r,g,b'),
    ('c.csv', 'name,r,g\nroad,1,2\n', 'another header'),
    ('c.csv', 'name,r,g,b\n', 'holds no class'),
    ('c.csv', 'name,r,g,b\na,1,2,3\nb,1,2\n', '3 cells in the row of class 1'),
    ('c.csv', 'name,r,g,b\na,1,2,256\n', 'no colour for class 0'),
    ('c.csv', 'name,r,g,b\na,1,2,3.5\n', 'no colour for class 0'),
    ('c.csv', 'name\na\nb\na\n', "the class 'a' twice. Got: classes 0 and 2"),
    ('c.csv', 'id,name\n1,a\n2,b\n', 'gives class 0 the id 1'),
    ('c.txt', 'a\n\nb\n', 'has no name for class 1'),
    ('c.txt', '\n', 'holds no class'),
    ('c.json', '{', 'cannot be read'),
    ('c.json', '{"names": []}', 'another form'),
    ('c.json', '["a", 3]', 'has no name for class 1. Got: 3'),
    ('c.json', '{"classes": ["a"], "palette": []}', '0 colours for 1 classes'),
    ('c.json', '{"classes": ["a"], "palette": [[1, 2]]}', 'no colour for class 0'),
    ('c.json', '{"classes": ["a"], "palette": [7]}', 'no colour for class 0'),
])
def test_what_is_wrong_is_said(name, text, said):
    with pytest.raises(ConfigError) as error:
        parse_classes(text, name)
    assert str(error.value).startswith(f'The table of classes {name} ')
    assert said.lower() in str(error.value).lower()


def test_a_data_set_reads_its_table_below_its_root(tmp_path):
    (tmp_path / 'classes.csv').write_text('name,r,g,b\nnein,0,0,0\nja,255,0,0\n')
    dataset = BaseSegDataset(data_root=str(tmp_path), metainfo=dict(classes='classes.csv'),
                             test_mode=True, lazy_init=True)
    assert dataset.metainfo['classes'] == ('nein', 'ja')
    assert dataset.metainfo['palette'] == [[0, 0, 0], [255, 0, 0]]


def test_a_data_set_reads_a_table_from_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / 'c.txt').write_bytes('\ufeffé\nb\n'.encode())  # with a mark, as editors write it
    monkeypatch.chdir(tmp_path)
    dataset = BaseSegDataset(metainfo=dict(classes='c.txt'), lazy_init=True)
    assert dataset.metainfo['classes'] == ('é', 'b')


def test_what_is_given_beside_the_table_wins_over_it(tmp_path):
    (tmp_path / 'c.csv').write_text('name,r,g,b\na,1,1,1\n')
    dataset = BaseSegDataset(data_root=str(tmp_path), lazy_init=True,
                             metainfo=dict(classes='c.csv', palette=[[9, 9, 9]]))
    assert dataset.metainfo['palette'] == [[9, 9, 9]]


def test_a_table_may_choose_some_classes(tmp_path):
    (tmp_path / 'c.txt').write_text('car\nsky\n')
    dataset = CamVidDataset(data_root=str(tmp_path), metainfo=dict(classes='c.txt'),
                            lazy_init=True)
    assert dataset.label_map[8] == 0
    assert dataset.label_map[0] == 1
    assert dataset.metainfo['palette'] == [[64, 0, 128], [128, 128, 128]]


def test_a_table_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(ConfigError, match='does not exist.*lost.csv or lost.csv'):
        BaseSegDataset(data_root=str(tmp_path), metainfo=dict(classes='lost.csv'), lazy_init=True)
    with pytest.raises(ConfigError, match='there is no folder .*nowhere.*correct data_root'):
        BaseSegDataset(data_root=str(tmp_path / 'nowhere'), metainfo=dict(classes='lost.csv'),
                       lazy_init=True)
    (tmp_path / 'c.csv').write_bytes(b'name\n\xff\xfe\n')
    with pytest.raises(ConfigError, match='is no UTF-8 text'):
        BaseSegDataset(data_root=str(tmp_path), metainfo=dict(classes='c.csv'), lazy_init=True)


def test_shipped_tables_are_not_shared():
    shipped('loveda')['palette'][0][0] = 7
    assert shipped('loveda')['palette'][0] == [255, 255, 255]
