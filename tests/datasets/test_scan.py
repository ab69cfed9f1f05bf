"""Files are listed in a fixed order; what an error says about folders."""

import pytest

from segplug.datasets import scan
from segplug.errors import DataError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_come_sorted_from_all_levels_without_hidden_ones(tmp_path):
    touch(tmp_path, 'b/2.png', 'b/1.png', 'a.png', 'a.txt', '.hidden.png')
    assert scan.list_files(str(tmp_path), '.png') == ['a.png', 'b/1.png', 'b/2.png']
    assert scan.list_files(str(tmp_path / 'nowhere')) == []


def test_stems_are_those_of_the_folder_or_of_the_split_file(tmp_path):
    touch(tmp_path, 'x/2_img.png', 'x/1_img.png')
    assert scan.image_stems(str(tmp_path), '_img.png') == ['x/1', 'x/2']
    split = tmp_path / 'split.txt'
    split.write_text('x/2\n\n x/1 \n')
    assert scan.image_stems(str(tmp_path), '_img.png', str(split)) == ['x/2', 'x/1']
    with pytest.raises(DataError, match=r'lost\.txt does not exist.*split\.txt'):
        scan.image_stems(str(tmp_path), '_img.png', str(tmp_path / 'lost.txt'))


def test_a_suffix_in_other_letters_is_left_out_aloud(tmp_path, monkeypatch):
    printed = []
    monkeypatch.setattr('segplug.datasets.scan.print_log', lambda text, *rest: printed.append(text))
    touch(tmp_path, 'a.jpg', 'b.JPG', 'c.png')
    assert scan.image_stems(str(tmp_path), '.jpg') == ['a']
    assert printed == [f'1 files below {tmp_path} are left out because they end in .JPG, not .jpg: '
                       "b.JPG; img_suffix=('.jpg', '.JPG') takes both"]


def test_missing_names_include_those_written_in_another_way(tmp_path):
    touch(tmp_path, 'x/1.png')
    assert scan.missing(str(tmp_path), ['x/1.png', './x/1.png', 'x/2.png']) == ['x/2.png']


def test_nearby_counts_the_kinds_of_files(tmp_path):
    touch(tmp_path, 'gt/a_000_gtFine_labelIds.png', 'gt/b_001_gtFine_labelIds.png', 'gt/c.json')
    said = scan.nearby(str(tmp_path / 'gt'))
    assert '3 files below it (2 *_gtFine_labelIds.png, 1 *.json)' in said


def test_nearby_climbs_to_a_folder_that_exists(tmp_path):
    touch(tmp_path, 'images/a.png')
    said = scan.nearby(str(tmp_path / 'wrong' / 'deeper'))
    assert said == (f'{tmp_path}/wrong/deeper does not exist; the nearest folder {tmp_path} '
                    'holds images/')


@pytest.mark.parametrize('wrong', ['.', 'city/leftImg8bit', 'ctiy'])
def test_another_root_is_found_below_above_and_beside(tmp_path, wrong):
    touch(tmp_path, 'city/leftImg8bit/train/a.png')
    assert scan.other_root(str(tmp_path / wrong), 'leftImg8bit/train') == str(tmp_path / 'city')


def test_no_other_root_is_named_for_a_right_one(tmp_path):
    touch(tmp_path, 'city/img/a.png', 'other/img/a.png')
    assert scan.other_root(str(tmp_path / 'city'), 'img') is None
    assert scan.other_root(None, 'img') is None


def test_a_folder_further_up_is_not_walked(tmp_path, monkeypatch):
    touch(tmp_path, 'there/a.png')
    monkeypatch.setattr(scan, 'list_files', lambda *_: pytest.fail('walked'))
    said = scan.nearby(str(tmp_path / 'not' / 'here'))
    assert said.endswith(f'the nearest folder {tmp_path} holds there/')


def test_a_link_that_leads_back_is_passed_over_and_others_are_followed(tmp_path):
    for name in ('set/a/1.png', 'set/.hidden.png', 'other/2.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name, target in (('set/a/up', 'set'), ('set/a/self', 'set/a'), ('set/b', 'other'),
                         ('other/back', 'set'), ('set/gone.png', 'nowhere')):
        (tmp_path / name).symlink_to(tmp_path / target)
    assert scan.list_files(str(tmp_path / 'set'), '.png') == ['a/1.png', 'b/2.png']


def test_names_that_leave_the_data_are_reported(monkeypatch):
    said = []
    monkeypatch.setattr(scan, 'print_log', lambda text, *_: said.append(text))
    names = ['a.png', 'sub/../b.png', '../../labels/c.png', '/data/set/img/d.png']
    scan.report_outside('list.txt', names, '/data/set/img/train', '/data/set')
    scan.report_outside('list.txt', names[:2], '/elsewhere/img', '/data/set')  # data_prefix says so
    assert not said
    bad = ['../../../secret.png', '/etc/passwd', '../../../set2/a.png']
    scan.report_outside('list.txt', names + bad, '/data/set/img/train', '/data/set')
    assert said == ['list.txt names 3 files outside of /data/set: ../../../secret.png, '
                    '/etc/passwd, ../../../set2/a.png']
    scan.report_outside('list.txt', ['../a.png'], '/data/img', '')
    assert said[1] == 'list.txt names 1 files outside of /data/img: ../a.png'
    scan.report_outside('list.txt', ['../a.png'], 's3://bucket/img', '')
    assert len(said) == 2


def test_a_split_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / 'names.txt').write_bytes(b'a\n\xbd\n')
    with pytest.raises(DataError, match=r'names.txt is no UTF-8 text'):
        scan.image_stems(str(tmp_path), '.png', str(tmp_path / 'names.txt'))


MIXED = ('.jpg', '.png', '_rgb.png')


def test_images_of_several_ends_come_in_the_order_of_their_names(tmp_path):
    touch(tmp_path, 'b.jpg', 'a.png', 'sub/c_rgb.png', 'd.txt')
    assert scan.image_names(str(tmp_path), MIXED) == [
        ('a', 'a.png'), ('b', 'b.jpg'), ('sub/c', 'sub/c_rgb.png')]


def test_a_list_of_names_finds_the_end_of_each(tmp_path):
    touch(tmp_path, 'img/b.jpg', 'img/a.png', 'img/sub/c_rgb.png', 'more/e.png')
    split = tmp_path / 'split.txt'
    split.write_text('sub/c\nb.jpg\na\nlost\n../more/e\n')
    assert scan.image_names(str(tmp_path / 'img'), MIXED, str(split)) == [
        ('sub/c', 'sub/c_rgb.png'), ('b', 'b.jpg'), ('a', 'a.png'), ('lost', 'lost.jpg'),
        ('../more/e', '../more/e.png')]


@pytest.mark.parametrize('listed', [None, 'a', 'a.jpg', 'a.jpg\na.png'])
def test_two_images_of_one_name_are_both_named(tmp_path, listed):
    # a.jpg alone in a list too: a.png may be in the list of the other split, with the same label.
    touch(tmp_path, 'img/a.jpg', 'img/a.png', 'img/b.jpg')
    split = tmp_path / 'split.txt'
    split.write_text(listed or '')
    with pytest.raises(DataError, match=r'differ in how they end only.*Got: a\.jpg and a\.png'):
        scan.image_names(str(tmp_path / 'img'), MIXED, str(split) if listed else '')
    split.write_text('b')
    assert scan.image_stems(str(tmp_path / 'img'), MIXED, str(split)) == ['b']
