"""What pages share: text that is safe, pictures that are kept, numbers to read."""

import base64
import math

import cv2
import jinja2
import numpy as np
import pytest

from segplug.report.pages import brief, drawing, exact, grouped, number, photo, render, short


def pixels(address, kind):
    head, _, data = address.partition(',')
    assert head == f'data:image/{kind};base64'
    encoded = np.frombuffer(base64.b64decode(data), np.uint8)
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize('colours', [2, 256, 257, 5000])
def test_a_drawing_is_kept_to_the_pixel(colours):
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (colours, 3), np.uint8)
    picture = table[rng.integers(0, colours, (90, 70))]
    assert np.array_equal(pixels(drawing(picture), 'png'), picture)


def test_few_colours_take_a_byte_a_pixel_at_most():
    picture = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (90, 70))
    assert len(drawing(np.repeat(picture[..., None], 3, 2))) < 90 * 70


def test_a_photo_is_nearly_kept():
    picture = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    assert np.abs(pixels(photo(picture), 'jpeg').astype(int) - picture).max() <= 3


def test_numbers_to_read():
    assert [number(v) for v in (66.984, None, math.nan)] == ['66.98', '–', '–']
    assert [exact(v) for v in (66.984, 1, None, math.nan)] == ['66.984', '1.0', '', '']
    assert [brief(v) for v in (0.000123456, math.nan)] == ['0.0001235', '–']
    assert grouped(1234567) == '1\u202f234\u202f567'
    assert [short(v) for v in (0, 9999, 10_000, 1_745_678, 3 * 10**12)] == [
        '0', '9\u202f999', '10\u202fk', '1.75\u202fM', '3\u202fT']


def test_a_name_that_a_template_lacks_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match='about'):
        render('samples.html', title='t')
