"""Pictures of labels, worked by hand."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from segplug.errors import ShapeError
from segplug.visualization.draw import (
    captioned,
    colour_map,
    default_palette,
    encode_labels,
    encode_picture,
    heat_map,
    heat_overlay,
    legend,
    name_regions,
    overlay,
    panel,
)

PALETTE = [[200, 0, 0], [0, 100, 0]]
LABELS = np.array([[0, 1], [255, 1]], np.uint8)


def test_colour_map():
    assert colour_map(LABELS, PALETTE).tolist() == [
        [[200, 0, 0], [0, 100, 0]], [[0, 0, 0], [0, 100, 0]]]
    assert colour_map(np.array([[-1, 2]]), PALETTE).max() == 0


def test_colour_map_of_many_classes():
    palette = [[k % 256, k // 256, 7] for k in range(300)]
    assert colour_map(np.array([[299]]), palette).tolist() == [[[43, 1, 7]]]


def test_overlay_leaves_ignored_pixels_alone():
    image = np.full((2, 2, 3), 100, np.uint8)
    found = overlay(image, LABELS, PALETTE, alpha=.25)
    # .75 * 100 + .25 * colour
    assert found.tolist() == [[[125, 75, 75], [75, 100, 75]], [[100, 100, 100], [75, 100, 75]]]
    assert overlay(image, LABELS, PALETTE, alpha=0).tolist() == image.tolist()


def test_overlay_of_another_size():
    with pytest.raises(ShapeError, match=r'\(3, 2\) and \(2, 2\)'):
        overlay(np.zeros((3, 2, 3), np.uint8), LABELS)


def test_default_palette_is_voc():
    # VOC: aeroplane, bicycle, bird, boat
    assert default_palette(4) == [[128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert len(set(map(tuple, default_palette(255)))) == 255


def test_panel():
    image = np.full((30, 40, 3), 9, np.uint8)
    labels = np.zeros((30, 40), np.uint8)
    assert panel(image, labels, labels, PALETTE).shape == (30, 120, 3)
    found = panel(image, None, labels, PALETTE, classes=('road', 'sky'))
    assert found.shape[0] > 30
    assert found.shape[1:] == (80, 3)
    assert found[:30, :40].tolist() == image.tolist()
    assert (found[:30, 40:80] == PALETTE[0]).all()


def test_legend_wraps_and_holds_every_colour():
    strip = legend(('road', 'sidewalk', 'building'), None, width=100)
    assert strip.shape[1] == 100
    assert strip.shape[0] > 20
    colours = {tuple(c) for c in strip.reshape(-1, 3).tolist()}
    assert set(map(tuple, default_palette(3))) <= colours


def test_name_regions_writes_and_copies():
    picture = np.full((60, 80, 3), 90, np.uint8)
    found = name_regions(picture, np.zeros((60, 80), int), ('road',))
    assert (picture == 90).all()
    assert found.max() > 90 > found.min()
    changed = np.flatnonzero((found != 90).any(axis=(1, 2)))
    assert changed.min() > 10  # at the middle of the region, not at its edge
    assert (name_regions(picture, np.full((60, 80), 255), ('road',)) == 90).all()


def test_encoded_labels_are_read_by_others():
    with Image.open(io.BytesIO(encode_labels(LABELS, PALETTE))) as picture:
        assert picture.mode == 'P'
        assert np.array(picture).tolist() == LABELS.tolist()
        assert np.array(picture.convert('RGB'))[0].tolist() == PALETTE
    deep = cv2.imdecode(np.frombuffer(encode_labels(np.array([[0, 256]])), np.uint8), -1)
    assert (deep.dtype, deep.tolist()) == (np.uint16, [[0, 256]])
    for wrong in (-1, 1 << 16):
        with pytest.raises(ShapeError, match='0 to 65535'):
            encode_labels(np.array([[0, wrong]]))


def test_encoded_pictures_are_rgb():
    with Image.open(io.BytesIO(encode_picture(colour_map(LABELS, PALETTE)))) as picture:
        assert np.array(picture).tolist() == [[[200, 0, 0], [0, 100, 0]], [[0, 0, 0], [0, 100, 0]]]


def test_heat_map():
    """The least is the darkest, the largest the brightest, and what is no number is black."""
    picture = heat_map(np.array([[0.0, 5.0, 10.0, np.nan]]))
    assert picture.shape == (1, 4, 3)
    assert picture.dtype == np.uint8
    brightness = picture[0].sum(axis=1).tolist()
    assert brightness[3] == 0 < brightness[0] < brightness[1] < brightness[2]
    flat = heat_map(np.full((2, 2), 3.0))
    assert np.unique(flat.reshape(-1, 3), axis=0).tolist() == [picture[0, 0].tolist()]
    assert heat_map(np.full((2, 2), np.inf)).max() == 0


def test_heat_covers_a_gray_image_the_more_it_is():
    """Gray of green is 0.587 * 255 = 150; a quarter of heat has the share 0.8 sqrt(1/4)."""
    image = np.zeros((1, 3, 3), np.uint8)
    image[..., 1] = 255
    found = heat_overlay(image, np.array([[0.0, 0.25, 1.0]]), alpha=0.8)
    assert found[0, 0].tolist() == [150] * 3
    for place, share in ((1, 0.4), (2, 0.8)):
        colour = cv2.applyColorMap(np.array([[64 if place == 1 else 255]], np.uint8),
                                   cv2.COLORMAP_INFERNO)[0, 0, ::-1]
        np.testing.assert_allclose(found[0, place], 150 * (1 - share) + colour * share, atol=0.51)
    with pytest.raises(ShapeError, match='Image and heat differ'):
        heat_overlay(image, np.zeros((3, 1)))


def test_a_caption_widens_what_it_does_not_fit():
    picture = np.zeros((5, 200, 3), np.uint8)
    assert captioned(picture, 'a').shape == (5 + 18, 200, 3)
    wide = captioned(picture[:, :10], 'a long text')
    assert wide.shape[1] > 40
    assert not wide[18:, :10].any()
    assert (wide[18:, 10:] == 255).all()
    assert (wide[:18] < 255).any()
