"""NYUDataset: depth maps are paired, the room comes from the name."""

import pytest

from segplug.datasets.nyu import NYUDataset, room_of
from segplug.errors import DataError


@pytest.fixture
def root(tmp_path):
    """Three pairs of empty files; nothing reads them here."""
    for folder, end in (('images', '.jpg'), ('annotations', '.png')):
        (tmp_path / folder).mkdir()
        for name in ('bathroom_0001', 'student_lounge_0002', 'zoo_0003'):
            (tmp_path / folder / f'{name}{end}').touch()
    return tmp_path


def test_each_image_has_a_depth_map_and_a_room(root):
    dataset = NYUDataset(data_root=str(root))
    infos = [dataset.get_data_info(i) for i in range(3)]
    assert [info['category_id'] for info in infos] == [1, 20, -1]
    assert infos[0]['depth_map_path'] == str(root / 'annotations/bathroom_0001.png')
    assert infos[0]['img_path'] == str(root / 'images/bathroom_0001.jpg')
    assert 'seg_map_path' not in infos[0]
    assert NYUDataset.METAINFO['classes'][20] == 'student_lounge'


@pytest.mark.parametrize(('name', 'room'), [
    ('living_room_0042.jpg', 'living_room'), ('0042.jpg', ''), ('cafe.jpg', '')])
def test_the_room_of_a_name(name, room):
    assert room_of(name) == room


def test_a_depth_map_that_is_missing_is_named(root):
    (root / 'annotations/zoo_0003.png').unlink()
    with pytest.raises(DataError, match='NYUDataset has no label for 1.*zoo_0003.png'):
        NYUDataset(data_root=str(root))


def test_other_suffixes_and_no_depth(root):
    (root / 'annotations/zoo_0003.png').rename(root / 'annotations/zoo_0003_d.tif')
    (root / 'list.txt').write_text('zoo_0003\n')
    made = NYUDataset(data_root=str(root), ann_file='list.txt', depth_map_suffix='_d.tif')
    assert made.get_data_info(0)['depth_map_path'].endswith('zoo_0003_d.tif')
    blind = NYUDataset(data_root=str(root), data_prefix=dict(img_path='images'), test_mode=True)
    assert blind.get_data_info(0)['depth_map_path'] is None
