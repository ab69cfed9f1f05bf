"""Boundaries against the published procedure, one class and one erosion step at a time."""

import cv2
import numpy as np
import pytest

from segplug.errors import ConfigError, DataError, ShapeError
from segplug.ops.boundary import (
    boundary_counts,
    boundary_mask,
    boundary_width,
    check_dilation_ratio,
)


def eroded(mask, steps):
    """A mask after ``steps`` erosions by 3x3, all outside the image counting as background."""
    for _ in range(steps):
        mask = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8),
                         borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    return mask


def counts_by_class(pred, label, num_classes, ignore_index, width):
    """The definition: each mask minus its erosion. Ignored pixels are in no mask, and they are
    added to each while it is eroded, so that they cut nothing off."""
    ignored = label == ignore_index
    found = np.zeros((2, num_classes), np.int64)
    for k in range(num_classes):
        near = [(x == k) & ~ignored & ~eroded((x == k) | ignored, width) for x in (pred, label)]
        found[:, k] = (near[0] & near[1]).sum(), (near[0] | near[1]).sum()
    return found


def blobs(rng, shape, num_classes):
    """A map of large patches, with some single pixels astray."""
    small = rng.integers(0, num_classes, (shape[0] // 9 + 1, shape[1] // 9 + 1)).astype(np.uint16)
    big = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(rng.random(shape) < 0.004, rng.integers(0, num_classes, shape), big)


@pytest.mark.parametrize(('shape', 'expected'), [
    ((1024, 2048), 46),  # 0.02 * sqrt(1024^2 + 2048^2) = 0.02 * 2289.7 = 45.8
    ((360, 480), 12),    # 0.02 * 600 = 12
    ((30, 40), 1),       # 0.02 * 50 = 1
    ((3, 4), 1),         # 0.1, at least 1
])
def test_the_width_is_two_percent_of_the_diagonal(shape, expected):
    assert boundary_width(shape) == expected


@pytest.mark.parametrize('width', [1, 2, 5])
def test_steps_of_3x3_are_one_square(width):
    mask = np.random.default_rng(width).random((40, 50)) > 0.03
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    at_once = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT,
                        borderValue=0)
    assert (eroded(mask, width) == at_once).all()


@pytest.mark.parametrize('ratio', [0.02, 0.05, 0.1])
@pytest.mark.parametrize('num_classes', [1, 5, 300])
@pytest.mark.parametrize('ignore_index', [None, 255])
def test_all_classes_at_once_are_each_class_by_itself(ratio, num_classes, ignore_index):
    rng = np.random.default_rng(num_classes)
    pred, label = (blobs(rng, (47, 66), num_classes) for _ in range(2))
    label[:, :30] = pred[:, :30]
    if ignore_index is not None:
        label[10:18, 20:50] = label[-3:] = ignore_index
    ours = boundary_counts(pred, label, num_classes, ignore_index, ratio)
    width = boundary_width(label.shape, ratio)
    assert ours.dtype == np.int64
    assert (ours == counts_by_class(pred, label, num_classes, ignore_index, width)).all()
    assert ours[0].sum() > 0


def test_a_square_by_hand():
    # A 5x5 square of class 1 in 9x9; d = max(1, round(0.02 * 12.7)) = 1.
    label = np.zeros((9, 9), np.uint8)
    label[2:7, 2:7] = 1
    # Its boundary is its rim, 16 of 25 pixels. Of class 0: the rim of the image, 32, and the
    # ring around the square, 24, which do not touch.
    pred = np.roll(label, 1, axis=1)
    # One pixel to the right, the rims (columns 2 to 6 and 3 to 7, rows 2 to 6) share 4 pixels of
    # the upper row (columns 3 to 6) and 4 of the lower one; the upright sides lie at columns 2
    # and 6 against 3 and 7. 16 + 16 - 8 = 24.
    # Of class 0 the image's rim is shared whole: 32. The rings (columns 1 to 7 and 2 to 8, rows 1
    # to 7) share columns 2 to 7 of rows 1 and 7, 12 pixels. The label's ring: 32 + 24 = 56. The
    # shifted ring has its right side on the image's rim: of its 24, rows 1 to 7 of column 8, 7,
    # are there already: 32 + 17 = 49. The label's ring at column 1 (rows 1 to 7) is not the
    # prediction's, whose ring starts at column 2. Shared: 32 + 12 = 44; union 56 + 49 - 44 = 61.
    assert boundary_counts(pred, label, 2).tolist() == [[44, 8], [61, 24]]


def test_the_border_of_the_image_is_a_contour():
    full = np.zeros((6, 7), np.uint8)
    assert boundary_mask(full, 2).sum() == 6 * 7 - 2 * 3
    assert boundary_mask(full, 3).all()  # 7 = 2 * 3 + 1 columns, but only 6 rows


def test_ignored_pixels_are_no_contour_and_what_is_predicted_there_changes_nothing():
    label = np.zeros((20, 20), np.uint8)
    label[5:15, 8:12] = 255
    pred = np.zeros((20, 20), np.uint8)
    one = boundary_counts(pred, label, 3)
    # Only the rim of the image is left: 20^2 - 18^2 = 76.
    assert one.tolist() == [[76, 0, 0], [76, 0, 0]]
    pred[label == 255] = 2
    assert (boundary_counts(pred, label, 3) == one).all()


def test_across_a_thin_ignored_line_two_classes_meet():
    label = np.zeros((9, 9), np.uint8)
    label[:, 5:] = 1
    label[:, 4] = 255
    ignored = label == 255
    near = boundary_mask(label, 2, ignored)
    # Row 4 is away from the upper and lower rim: columns 0, 1 and 7, 8 are near the image's
    # border; column 3 sees column 5 and 5 sees 3, but 2 sees only up to 4.
    assert near[4].tolist() == [True, True, False, True, False, True, False, True, True]


def test_a_boundary_as_wide_as_the_image_is_the_plain_iou():
    rng = np.random.default_rng(0)
    pred, label = rng.integers(0, 3, (2, 12, 17)).astype(np.uint8)
    label[3] = 255
    valid = label != 255
    both = [((pred == k) & (label == k) & valid).sum() for k in range(3)]
    either = [(((pred == k) | (label == k)) & valid).sum() for k in range(3)]
    assert boundary_counts(pred, label, 3, 255, 1.).tolist() == [both, either]


def test_the_type_of_the_integers_does_not_matter():
    rng = np.random.default_rng(1)
    pred, label = (blobs(rng, (40, 40), 256).astype(np.uint8) for _ in range(2))
    label[:20] = pred[:20]
    expected = boundary_counts(pred, label, 256, None)
    assert expected[0].sum() > 0
    for dtype in (np.int64, np.int32, np.uint16):
        assert (boundary_counts(pred.astype(dtype), label.astype(dtype), 256, None)
                == expected).all()


@pytest.mark.parametrize(('pred', 'label', 'error', 'said'), [
    (np.full((4, 4), 3), np.zeros((4, 4), int), DataError, 'prediction.*Got: 3'),
    (np.zeros((4, 4), int), np.full((4, 4), -1), DataError, 'label.*Got: -1'),
    (np.zeros((4, 5), int), np.zeros((4, 4), int), ShapeError, 'differ in shape'),
    (np.zeros((4, 4)), np.zeros((4, 4), int), ShapeError, 'integers'),
    (np.zeros((1, 4, 4), int), np.zeros((1, 4, 4), int), ShapeError, 'map of one image'),
])
def test_what_does_not_fit_is_an_error(pred, label, error, said):
    with pytest.raises(error, match=said):
        boundary_counts(pred, label, 3)


@pytest.mark.parametrize('ratio', [0, -0.1, float('nan'), float('inf'), '2%'])
def test_a_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(ConfigError, match='dilation_ratio'):
        check_dilation_ratio(ratio)
