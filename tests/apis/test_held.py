"""What is held gets the channels, depth and orientation that the loader gives to its file."""

import re

import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image

from segplug.apis.held import Held, held, tell_of_scale
from segplug.errors import ConfigError, DataError
from segplug.registry import TRANSFORMS

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
LOADERS = {flag: dict(type='LoadImageFromFile', color_type=flag)
           for flag in ('color', 'grayscale', 'unchanged', 'color_ignore_orientation')}
COLOUR = LOADERS['color']


@pytest.mark.parametrize('flag', LOADERS)
@pytest.mark.parametrize('mode', ['L', 'LA', 'RGB', 'RGBA', 'P', '1', 'I;16'])
def test_a_picture_is_as_its_file(mode, flag, tmp_path):
    picture = Image.fromarray(RGB)
    picture = Image.fromarray(RGB[..., 0].astype(np.uint16) * 257) if mode == 'I;16' \
        else picture.convert(mode)
    tag = picture.getexif()
    tag[274] = 6
    picture.save(tmp_path / 'a.png', exif=tag)
    expected = TRANSFORMS.build(LOADERS[flag])(dict(img_path=str(tmp_path / 'a.png')))['img']
    with Image.open(tmp_path / 'a.png') as opened:
        found = held(opened, LOADERS[flag]).array
    assert found.shape == expected.shape
    # Pillow and OpenCV round the luminance of a colour differently.
    near = 1 if flag == 'grayscale' and mode not in ('L', 'LA', '1', 'I;16') else 0
    assert np.abs(found.astype(int) - expected).max() <= near


def test_a_picture_of_numbers_is_not_clipped():
    values = RGB[..., 0].astype(np.int32)
    for dtype in (np.int32, np.float32):
        found = held(Image.fromarray(values.astype(dtype)), COLOUR).array
        assert np.array_equal(found, values[..., None].repeat(3, 2))
        with pytest.raises(DataError, match=r'beyond 8 bits. Got: \S+ to \S+. Expected: 0 to 255'):
            held(Image.fromarray((values * 2 + 9).astype(dtype)), COLOUR)


def test_an_array_gets_the_channels_that_the_loader_gives():
    gray = held(RGB[..., 0], COLOUR, 3).array
    assert np.array_equal(gray, RGB[..., :1].repeat(3, 2))
    assert np.array_equal(held(RGB[..., :1], COLOUR, 3).array, gray)
    alpha = np.dstack([RGB, RGB[..., 0]])
    assert np.array_equal(held(alpha, COLOUR, 3).array, RGB)
    assert np.array_equal(held(alpha, COLOUR, 3, 'rgb').array, RGB[..., ::-1])
    assert held(alpha, LOADERS['unchanged'], 4).array.shape == (6, 8, 4)
    assert held(alpha, COLOUR, None).array.shape == (6, 8, 4), 'nobody knows how many'


@pytest.mark.parametrize(('shape', 'loader', 'said'), [
    ((3, 6, 8), COLOUR, r'Got: \(3, 6, 8\) uint8. Expected: \(H, W, 3\).*transpose\(1, 2, 0\)'),
    ((6, 8, 2), COLOUR, r'Got: \(6, 8, 2\).*channels the model was trained with'),
    ((6, 8), LOADERS['unchanged'], r'Got: \(6, 8\)')])
def test_an_array_of_other_channels(shape, loader, said):
    with pytest.raises(DataError, match=f'does not fit the model. {said}'):
        held(np.zeros(shape, np.uint8), loader, 3)


@pytest.mark.parametrize('image', [RGB[0, 0], RGB[None], RGB[:0], RGB.astype(object),
                                   RGB.astype(complex), None, [1, 2], b'abc'])
def test_what_is_no_image(image):
    with pytest.raises(DataError, match='This is no image'):
        held(image, COLOUR, 3)


def test_the_caller_may_write_over_the_array():
    mine = RGB.copy()
    for order in ('bgr', 'rgb'):
        found = held(mine, COLOUR, 3, order)
        before = found.picture()
        mine[:] = 0
        assert np.array_equal(found.picture(), before)
        mine[:] = RGB
    with pytest.raises(ConfigError, match="'gbr'.*'bgr' or 'rgb'"):
        held(mine, COLOUR, 3, 'gbr')


@pytest.mark.parametrize(('array', 'mean', 'said'), [
    (RGB / 255, [120.0] * 3, 'go up to [01].*mean of 120: multiply by 255'),
    (RGB.astype(np.uint16) * 257, [120.0], 'go up to 6.*mean of 120: divide by 257'),
    (RGB > 9, [120.0], 'go up to 1,'), (RGB, [120.0], None), (RGB / 255, [0.5] * 3, None),
    (RGB / 255, [], None),
    (RGB * 0, [120.0], None), (RGB.astype(np.uint16) * 257, [9000.0], None)])
def test_values_of_another_scale(array, mean, said, monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'log',
                        lambda level, line: lines.append(line))
    assert tell_of_scale(Held(array), mean) is (said is not None)
    assert len(lines) == (said is not None)
    assert not lines or re.search(said, lines[0])
