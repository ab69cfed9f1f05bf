"""Pairing predictions with labels by their names."""

from pathlib import Path

import pytest

from segplug.apis.score_files import find_labels, find_predictions, pair, plain_name
from segplug.errors import DataError

CITY = ['_leftImg8bit.png', '_gtFine_labelTrainIds.png', '_gtFine_labelIds.png']


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return str(root)


def paths(*names):
    return {name: Path(f'{name}.png') for name in names}


@pytest.mark.parametrize(('name', 'endings', 'expected'), [
    ('bonn/x_leftImg8bit.png', CITY, 'bonn/x'),
    ('bonn/x_leftImg8bit.tif', CITY, 'bonn/x'),  # another extension
    ('x_gtFine_labelIds.png', ['_labelIds.png', *CITY], 'x'),  # the longest
    ('x_leftImg8bit_pred.png', ['_pred.png', *CITY], 'x'),  # the person's own, then the set's
    ('x.y.png', ['.jpg', '.png'], 'x.y'),
    ('x_gtFine_color.png', CITY, 'x_gtFine_color'),
])
def test_plain_names(name, endings, expected):
    assert plain_name(name, endings) == expected


def test_of_the_label_kinds_the_first_complete_one_is_taken(tmp_path):
    folder = touch(tmp_path, 'a/1_gtFine_labelIds.png', 'a/2_gtFine_labelIds.png',
                   'a/1_gtFine_color.png', 'a/1_gtFine_labelTrainIds.png', 'a/.hidden.png')
    found = find_labels(folder, CITY[1])
    assert {k: v.name for k, v in found.items()} == {
        'a/1': '1_gtFine_labelIds.png', 'a/2': '2_gtFine_labelIds.png'}
    touch(tmp_path, 'a/2_gtFine_labelTrainIds.png')
    assert find_labels(folder, CITY[1])['a/2'].name == '2_gtFine_labelTrainIds.png'
    touch(tmp_path, 'a/3_gtFine_labelTrainIds.png', 'a/4_gtFine_labelIds.png')
    with pytest.raises(DataError, match=r'lacks a/4; .*lacks a/3'):
        find_labels(folder, CITY[1])
    assert set(find_labels(folder, CITY[1], given=CITY[2])) == {'a/1', 'a/2', 'a/4'}


def test_labels_of_other_names_are_taken_as_they_are(tmp_path):
    assert set(find_labels(touch(tmp_path, 'bonn/1.png', 'bonn/2.tif'), CITY[1])) == {
        'bonn/1', 'bonn/2'}


def test_a_suffix_that_nothing_has_is_an_error(tmp_path):
    folder = touch(tmp_path, '1.png')
    with pytest.raises(DataError, match='ends in _x.png'):
        find_labels(folder, '.png', given='_x.png')
    with pytest.raises(DataError, match='ends in _x.png'):
        find_predictions(folder, [], given='_x.png')


def test_a_suffix_leaves_other_predictions_out(tmp_path):
    folder = touch(tmp_path, '1_pred.png', '1_colour.png')
    assert set(find_predictions(folder, ['.png'], given='_pred.png')) == {'1'}


@pytest.mark.parametrize(('prediction', 'label'), [
    ('x', 'x'), ('x', 'bonn/x'), ('predictions/bonn/x', 'bonn/x'), ('out/x', 'x')])
def test_a_flatter_or_deeper_tree_fits(prediction, label):
    assert pair(paths(prediction), paths(label)) == {
        label: (Path(f'{prediction}.png'), Path(f'{label}.png'))}


def test_one_name_in_two_folders_is_never_mixed_up():
    both = pair(paths('a/1', 'b/1'), paths('a/1', 'b/1'))
    assert both['b/1'] == (Path('b/1.png'), Path('b/1.png'))
    with pytest.raises(DataError, match='1 of the 1 labels have no prediction: seq1/0001'):
        pair(paths('seq2/0001'), paths('seq1/0001'))
    with pytest.raises(DataError, match='would stand for 2 labels'):
        pair(paths('1'), paths('a/1', 'b/1'))
    with pytest.raises(DataError, match='has 2 predictions.*a/1.png, b/1.png'):
        pair(paths('a/1', 'b/1'), paths('1'))
