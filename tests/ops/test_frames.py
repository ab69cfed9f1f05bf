"""Frames: the bytes of cv2.resize, crop and flip on whole images, whatever window is read."""

import cv2
import numpy as np
import pytest

from segplug.ops import frames
from segplug.ops.frames import Cropped, Flipped, Resized, Rotated, Source
from segplug.ops.kernels import resize_window

RNG = np.random.default_rng(3)


def random_image(*shape, dtype=np.uint8):
    return RNG.integers(0, 256, shape).astype(dtype)


def random_window(shape):
    ends = [np.sort(RNG.choice(length + 1, 2, replace=False)) for length in shape[:2]]
    return tuple(slice(int(a), int(b)) for a, b in ends)


SIZES = [(60, 90), (61, 88), (20, 30), (30, 45), (40, 60), (41, 57), (13, 200), (120, 180), (1, 1),
         (97, 140), (60, 89)]


@pytest.mark.parametrize('size', SIZES, ids=str)
@pytest.mark.parametrize('channels', [(), (1,), (3,), (4,), (5,)], ids=str)
def test_resizing_has_the_bytes_of_cv2(size, channels, monkeypatch):
    monkeypatch.setattr(frames, '_is_cheaper', lambda *args: True)  # the window, however large
    img = random_image(60, 90, *channels)
    whole = cv2.resize(img, size[::-1]).reshape(*size, *channels)
    frame = Resized(Source(img), size, 'bilinear')
    np.testing.assert_array_equal(frame.array(), whole)
    for _ in range(6):
        window = random_window(size)
        np.testing.assert_array_equal(frame.read(*window), whole[window])


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize('size', SIZES, ids=str)
def test_nearest_has_the_bytes_of_cv2(size, dtype):
    label = random_image(60, 90, dtype=dtype)
    whole = cv2.resize(label, size[::-1], interpolation=cv2.INTER_NEAREST)
    frame = Resized(Source(label), size, 'nearest')
    for window in [(slice(0, size[0]), slice(0, size[1])), random_window(size)]:
        np.testing.assert_array_equal(frame.read(*window), whole[window])


def test_without_compiled_kernels_the_bytes_are_the_same(monkeypatch):
    img = random_image(40, 50, 3)
    window = slice(10, 20), slice(5, 25)
    with_kernels = Resized(Source(img), (90, 70), 'bilinear').read(*window)
    monkeypatch.setenv('SEGPLUG_KERNELS', 'off')
    np.testing.assert_array_equal(Resized(Source(img), (90, 70), 'bilinear').read(*window),
                                  with_kernels)


def test_an_opencv_that_computes_otherwise_is_used_for_the_whole(monkeypatch):
    img = random_image(40, 50, 3)
    monkeypatch.setattr(frames, '_cv2_resize', lambda img, size, how: np.full((*size, 3), 7, 'u1'))
    frames._as_cv2.cache_clear()
    try:
        assert (Resized(Source(img), (90, 70), 'bilinear')[:5, :5] == 7).all()
    finally:
        frames._as_cv2.cache_clear()


def test_chains_read_what_the_whole_chain_gives():
    img, label = random_image(50, 70, 3), random_image(50, 70)
    for interpolation, pixels in (('bilinear', img), ('nearest', label)):
        matrix = cv2.getRotationMatrix2D((40., 30.), 20., 1.)

        def chain(pixels, how=interpolation, matrix=matrix):
            pixels = frames.resize(pixels, (75, 105), how)
            pixels = frames.flip(pixels, 'horizontal')
            pixels = frames.rotate(pixels, matrix, (75, 105), how, 9)
            pixels = frames.crop(pixels, slice(20, 70), slice(31, 99))
            return frames.flip(frames.resize(pixels, (33, 80), how), 'diagonal')
        whole, frame = chain(pixels), chain(Source(pixels))
        assert isinstance(whole, np.ndarray)
        assert frame.shape == whole.shape
        assert frame.ndim == whole.ndim
        np.testing.assert_array_equal(frame.array(), whole)
        window = slice(3, 17), slice(40, 41)
        np.testing.assert_array_equal(frame[window], whole[window])


def test_a_quarter_turn_by_hand():
    # About the middle of 2x2 pixels, (0.5, 0.5), a quarter turn moves each pixel to a corner.
    matrix = cv2.getRotationMatrix2D((0.5, 0.5), -90., 1.)
    turned = Rotated(Source(np.array([[1, 2], [3, 4]], np.uint8)), matrix, (2, 2), 'nearest', 0)
    assert turned.array().tolist() == [[3, 1], [4, 2]]


@pytest.mark.parametrize('channels', [1, 3, 4, 7])
def test_rotation_is_within_one_level_of_warp_affine(channels):
    img = cv2.GaussianBlur(random_image(90, 110, channels), (0, 0), 1).reshape(90, 110, channels)
    matrix = cv2.getRotationMatrix2D((50., 40.), 11., 1.)
    border = list(range(channels))
    ours = frames.rotate(img, matrix, (90, 110), 'bilinear', border)
    for c in range(channels):
        theirs = cv2.warpAffine(np.ascontiguousarray(img[..., c]), matrix, (110, 90),
                                borderValue=border[c])
        assert np.abs(theirs.astype(int) - ours[..., c]).max() <= 1


def test_what_is_turned_out_of_sight_is_border():
    away = np.array([[1., 0, 500], [0, 1, 500]])
    assert (frames.rotate(random_image(8, 8, 3), away, (8, 8), 'bilinear', (1, 2, 3))
            == [1, 2, 3]).all()
    assert (frames.rotate(random_image(8, 8), away, (8, 8), 'nearest', 255) == 255).all()


@pytest.mark.skipif(resize_window() is None, reason='needs the compiled kernels')
def test_only_the_pixels_that_survive_are_read():
    class Spy(Source):
        asked = 0

        def read(self, rows, cols):
            self.asked += (rows.stop - rows.start) * (cols.stop - cols.start)
            return super().read(rows, cols)

        def array(self):
            raise AssertionError('the whole frame was read')

    source = Spy(random_image(400, 800, 3))
    frame = Cropped(Resized(source, (800, 1600), 'bilinear'), slice(100, 150), slice(600, 700))
    frame.array()
    # 50 x 100 pixels at twice the size need 25 x 50 cells and their neighbours: 26 or 27 x 51 or 52
    assert source.asked <= 27 * 52


def test_a_window_of_a_source_is_a_view_and_its_array_a_copy():
    pixels = random_image(8, 8, 3)
    cut = Cropped(Source(pixels), slice(2, 6), slice(1, 20))
    assert cut.shape == (4, 7, 3)
    assert np.shares_memory(cut[:, :], pixels)
    own = cut.array()
    assert not np.shares_memory(own, pixels)
    assert own.flags.c_contiguous
    assert np.asarray(Flipped(cut, 'vertical'))[0].tolist() == pixels[5, 1:].tolist()


def test_what_frames_cannot_put_off_is_done_at_once():
    img = random_image(20, 30, 3)
    cubic = frames.resize(Source(img), (40, 44), 'bicubic')
    np.testing.assert_array_equal(cubic.array(),
                                  cv2.resize(img, (44, 40), interpolation=cv2.INTER_CUBIC))
    floats = frames.resize(Source(img.astype(np.float32)), (40, 44), 'bilinear')
    np.testing.assert_array_equal(floats.array(), cv2.resize(img.astype(np.float32), (44, 40)))
