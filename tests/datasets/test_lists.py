"""ListDataset: tables of each kind, further columns, and a named error for each that is wrong."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from segplug.apis.config import set_data_root
from segplug.datasets.lists import ListDataset, read_table
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS

NAMES = dict(metainfo=dict(classes=('a', 'b', 'c')))
PACK = dict(type='PackSegInputs', meta_keys=('img_path', 'split', 'id'))
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), PACK]


@pytest.fixture
def root(tmp_path):
    """Images and labels in folders of their own way, one name with a blank."""
    for i, (image, label) in enumerate((('x/ä 1.jpg', 'y/one.png'), ('x/2.jpg', 'y/two.png'),
                                        ('3.jpg', 'three.png'))):
        for name, pixels in ((image, np.zeros((2, 3, 3), np.uint8)),
                             (label, np.full((2, 3), i, np.uint8))):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / name), pixels)
    return tmp_path


def make(root, text, name='list.csv', **kwargs):
    (root / name).write_text(text, encoding='utf-8')
    return ListDataset(ann_file=name, data_root=str(root), **{**NAMES, **kwargs})


def test_a_row_becomes_a_sample_and_keeps_its_further_columns(root):
    dataset = make(root, 'id,image,label,split\n007,x/ä 1.jpg,y/one.png,train\n'
                         '8,3.jpg,three.png,\n', pipeline=LOAD)
    assert len(dataset) == 2
    sample = dataset[0]['data_samples']
    assert sample.id == '007'  # as it is written
    assert sample.split == 'train'
    assert dataset[1]['data_samples'].split == ''
    assert (dataset[1]['data_samples'].gt_sem_seg.data == 2).all()
    assert sample.img_path == str(root / 'x/ä 1.jpg')


def test_columns_by_other_names_separated_by_others(root):
    dataset = make(root, 'rgb;mask\n3.jpg; three.png\n', img_column='rgb', label_column='mask',
                   sep=';')
    assert dataset.get_data_info(0)['seg_map_path'] == str(root / 'three.png')


def test_tabs_with_a_header(root):
    dataset = make(root, 'image\tlabel\nx/ä 1.jpg\ty/one.png\n', 'list.tsv')
    assert dataset.get_data_info(0)['img_path'] == str(root / 'x/ä 1.jpg')


def test_text_without_a_header(root):
    dataset = make(root, '\ufeff3.jpg three.png\n\nx/2.jpg  y/two.png\n', 'list.txt')
    assert [dataset.get_data_info(i)['seg_map_path'] for i in (0, 1)] == [
        str(root / 'three.png'), str(root / 'y/two.png')]
    tabs = make(root, 'x/ä 1.jpg\ty/one.png\n', 'list.txt', sep='\t')
    assert tabs.get_data_info(0)['img_path'] == str(root / 'x/ä 1.jpg')


def test_names_are_relative_to_the_prefixes_or_absolute(root):
    prefix = dict(img_path='x', seg_map_path='y')
    dataset = make(root, f'image,label\n2.jpg,two.png\n{root / "3.jpg"},one.png\n',
                   data_prefix=prefix)
    assert dataset.get_data_info(0)['img_path'] == str(root / 'x/2.jpg')
    assert dataset.get_data_info(1)['img_path'] == str(root / '3.jpg')


def test_a_list_of_images_is_for_prediction(root):
    dataset = make(root, 'image\n3.jpg\n', test_mode=True)
    assert dataset.get_data_info(0)['seg_map_path'] is None
    dataset = make(root, '3.jpg\n', 'list.txt', test_mode=True)
    assert dataset.get_data_info(0)['seg_map_path'] is None
    with pytest.raises(DataError, match="list.csv has no column 'label'"):
        make(root, 'image\n3.jpg\n')


def test_without_a_root_the_working_directory_is_it(root, monkeypatch):
    (root / 'list.txt').write_text('3.jpg three.png\n')
    monkeypatch.chdir(root)
    assert len(ListDataset('list.txt', **NAMES)) == 1


def test_the_command_lines_root_is_this_ones_too(root):
    cfg = Config(dict(train_dataloader=dict(dataset=dict(
        type='ListDataset', ann_file='list.txt', data_root='elsewhere', **NAMES))))
    (root / 'list.txt').write_text('3.jpg three.png\n')
    set_data_root(cfg, str(root))
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 1


@pytest.mark.parametrize(('text', 'said'), [
    ('', 'is no table'), ('image,label\n', 'has no row'),
    ('image,label\n3.jpg\n', r'1 of the 1 files .* do not exist: \(an empty cell\)'),
    ('image,label\n3.jpg,three.png,x\n', 'is no table'),
    ('image,label\n3.jpg,three.png\n3.jpg,three.png,x\n', 'is no table'),
    ('Image,label\n3.jpg,three.png\n', "no column 'image'.*did you mean 'Image'"),
    ('image,label,img_path\n3.jpg,three.png,z\n', "has a column 'img_path'"),
    ('image,label\n3.jpg,\n', r'1 of the 1 files .* do not exist: \(an empty cell\)'),
    ('image,label\n4.jpg,three.png\n', r'1 of the 1 files .* do not exist: 4\.jpg')])
def test_what_is_wrong_is_said(root, text, said):
    with pytest.raises(DataError, match=said):
        make(root, text)


def test_a_list_that_is_not_there(root):
    with pytest.raises(DataError, match='The list .*none.csv does not exist'):
        ListDataset('none.csv', data_root=str(root), **NAMES)


def test_a_misspelt_argument_is_named():
    with pytest.raises(ConfigError, match="'img_colum'.*'img_column'"):
        DATASETS.build(dict(type='ListDataset', ann_file='a', img_colum='b'))


def test_names_like_na_are_names():
    table = read_table('image,label\nNA,null\n', 'l.csv', ('image', 'label'))
    assert table.to_dict('records') == [dict(image='NA', label='null')]


def test_images_that_lie_elsewhere_are_read_and_reported(root, monkeypatch):
    said = []
    monkeypatch.setattr('segplug.datasets.scan.print_log', lambda text, *_: said.append(text))
    (root / 'set').mkdir()
    text = f'image,label\n../3.jpg,{root}/three.png\n'
    (root / 'set' / 'list.csv').write_text(text)
    dataset = ListDataset(ann_file='list.csv', data_root=str(root / 'set'), **NAMES)
    assert dataset[0]['img_path'] == f'{root}/set/../3.jpg'
    assert [line.split(f' files outside of {root}/set: ')[1] for line in said] == [
        '../3.jpg', f'{root}/three.png']


def test_what_spreadsheets_write_is_told(root):
    with pytest.raises(DataError, match="no column 'image'.*To mend it: set sep=';'"):
        make(root, 'image;label\n3.jpg;three.png\n')
    (root / 'latin.csv').write_bytes('image,label\nStra\xdfe.jpg,x.png\n'.encode('latin-1'))
    with pytest.raises(DataError, match='latin.csv is no UTF-8 text.*"CSV UTF-8"'):
        ListDataset(data_root=str(root), ann_file='latin.csv')
