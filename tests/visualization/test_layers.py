"""Labels as layers: colours, hatching, images of any kind made viewable, grids."""

import numpy as np
import pytest

from segplug.visualization.layers import fitted, grid, label_layer, mixed, viewable


def test_classes_have_their_colour_ignored_pixels_stripes_and_others_squares():
    labels = np.zeros((12, 12), np.int32)
    labels[:, 4:8], labels[:, 8:] = 255, 2
    layer = label_layer(labels, 2, 255, [[10, 20, 30], [40, 50, 60]])
    assert (layer[:, :4] == (10, 20, 30)).all()
    # Stripes of 3 pixels: row + column from 4 on is 4, 5 | 6, 7, 8 | 9; the second is light.
    assert layer[0, 4:8].tolist() == [[30] * 3] * 2 + [[255] * 3] * 2
    assert layer[1, 4:8].tolist() == [[30] * 3] * 1 + [[255] * 3] * 3
    # Squares of 3 pixels, of columns 6-8 | 9-11, in rows 0-2 | 3-5.
    pink, yellow = [255, 0, 255], [255, 255, 0]
    assert layer[0, 8:].tolist() == [pink] + [yellow] * 3
    assert layer[3, 8:].tolist() == [yellow] + [pink] * 3


def test_a_class_with_the_number_of_the_ignored_value_is_ignored():
    assert label_layer(np.zeros((1, 1), np.uint8), 3, 0)[0, 0].tolist() in ([255] * 3, [30] * 3)


@pytest.mark.parametrize(('img', 'is_bgr', 'expected'), [
    (np.array([[[1]], [[2]], [[3]]], np.uint8), True, [3, 2, 1]),
    (np.array([[[1]], [[2]], [[3]]], np.uint8), False, [1, 2, 3]),
    (np.array([[[7]]], np.uint8), False, [7, 7, 7]),
    (np.array([[[7]], [[8]]], np.uint8), False, [7, 7, 7]),
    (np.array([[[1]], [[2]], [[3]], [[4]]], np.uint8), False, [1, 2, 3]),
    (np.array([[[0.]], [[0.5]], [[1.]]]), False, [0, 128, 255]),
    (np.array([[[5]], [[5]], [[5]]], np.uint16), False, [0, 0, 0])])
def test_any_image_can_be_seen(img, is_bgr, expected):
    picture = viewable(img, is_bgr)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == expected


def test_large_pictures_are_made_to_fit_and_small_ones_stay():
    assert fitted(np.zeros((100, 400, 3), np.uint8), 200).shape == (50, 200, 3)
    assert fitted(np.zeros((1, 400, 3), np.uint8), 200).shape == (1, 200, 3)
    small = np.zeros((3, 4, 3), np.uint8)
    assert fitted(small, 200) is small


def test_a_layer_is_mixed_with_the_picture():
    picture, layer = np.full((1, 1, 3), 100, np.uint8), np.full((1, 1, 3), 200, np.uint8)
    assert mixed(picture, layer, 0.25)[0, 0].tolist() == [125] * 3


def test_a_grid_has_its_pictures_in_rows():
    pictures = [np.full((10, 20, 3), i, np.uint8) for i in range(3)]
    sheet = grid(pictures, columns=2, gap=4)
    # 2 columns of 20 and 3 gaps of 4; 2 rows of 10 and 3 gaps.
    assert sheet.shape == (32, 52, 3)
    assert (sheet[4:14, 4:24] == 0).all()
    assert (sheet[4:14, 28:48] == 1).all()
    assert (sheet[18:28, 4:24] == 2).all()
    assert (sheet[18:28, 28:48] == 255).all()
