"""GaussianBlur against scipy's filter."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from segplug.datasets.transforms.blur import GaussianBlur
from segplug.errors import ConfigError

IMG = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize('sigma', [0.7, 2.0])
@pytest.mark.parametrize('kernel_size', [None, 5])
def test_equals_scipy(sigma, kernel_size):
    transform = GaussianBlur(kernel_size=kernel_size, sigma=sigma, prob=1)
    radius = int(np.ceil(4 * sigma)) if kernel_size is None else 2
    expected = IMG.astype(float)
    for axis in (0, 1):
        expected = gaussian_filter1d(expected, sigma, axis=axis, radius=radius, mode='mirror')
    exact = transform(dict(img=IMG.astype(np.float32)))['img']
    np.testing.assert_allclose(exact, expected, atol=1e-3)
    # On 8 bits cv2 rounds the kernel to 1/256 and the sum to a whole number.
    rounded = transform(dict(img=IMG))['img']
    assert rounded.dtype == np.uint8
    assert np.abs(rounded - expected).max() < 2


def test_a_kernel_of_one_pixel_changes_nothing():
    results = GaussianBlur(kernel_size=1, prob=1)(dict(img=IMG))
    np.testing.assert_array_equal(results['img'], IMG)


def test_never_blurred():
    assert GaussianBlur(prob=0)(dict(img=IMG))['img'] is IMG


def test_sigma_fills_its_range():
    np.random.seed(0)
    blur = GaussianBlur(sigma=(0.5, 1.5))
    sigmas = [blur._draw()[1] for _ in range(200)]
    assert 0.5 <= min(sigmas) < 0.55
    assert 1.45 < max(sigmas) <= 1.5


@pytest.mark.parametrize('kwargs', [
    dict(kernel_size=4), dict(kernel_size=-3), dict(sigma=0), dict(sigma=(2, 1)), dict(prob=2)])
def test_wrong_arguments(kwargs):
    with pytest.raises(ConfigError, match='GaussianBlur'):
        GaussianBlur(**kwargs)
