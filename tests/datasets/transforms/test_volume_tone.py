"""Values of volumes: against scipy and numpy, with the draws repeated beside."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from segplug.datasets.transforms.volume_tone import (
    BioMedicalGaussianBlur,
    BioMedicalGaussianNoise,
    BioMedicalRandomGamma,
    gamma_corrected,
)
from segplug.errors import ConfigError, ShapeError

IMG = np.random.default_rng(0).random((2, 4, 5, 6)).astype(np.float32)


def test_noise_as_drawn():
    for seed in range(4):
        np.random.seed(seed)
        out = BioMedicalGaussianNoise(0.6, mean=1., std=0.5)(dict(img=IMG))['img']
        rng = np.random.RandomState(seed)
        if rng.rand() < 0.6:
            noise = rng.normal(1., rng.uniform(0, 0.5), size=IMG.shape).astype(np.float32)
            np.testing.assert_array_equal(out, IMG + noise)
        else:
            assert out is IMG


def test_blur_as_drawn():
    for seed in range(4):
        np.random.seed(seed)
        out = BioMedicalGaussianBlur((1, 3), prob=1)(dict(img=IMG))['img']
        rng, expected = np.random.RandomState(seed), IMG.copy()
        rng.rand()
        for c in range(2):
            if rng.rand() < 0.5:
                expected[c] = gaussian_filter(IMG[c], [rng.uniform(1, 3) for _ in range(3)])
        np.testing.assert_array_equal(out, expected)


def test_one_width_for_all():
    np.random.seed(0)
    blur = BioMedicalGaussianBlur((0.5, 2), 1, 1, different_sigma_per_channel=False,
                                  different_sigma_per_axis=False)
    sigmas = blur._draw(3)
    assert sigmas[0] == sigmas[1] == sigmas[2]
    assert isinstance(sigmas[0], float)
    assert BioMedicalGaussianBlur(0.7, 1, 1)._draw(1) == {0: [0.7] * 3}


def test_gamma_by_hand():
    img = np.array([1., 2., 5.])  # units 0, 1/4, 1 of a range of 4; squared: 0, 1/16, 1
    np.testing.assert_allclose(gamma_corrected(img, 2., False), [1, 1.25, 5], rtol=1e-6)
    kept = gamma_corrected(img, 2., True)
    np.testing.assert_allclose([kept.mean(), kept.std()], [img.mean(), img.std()], rtol=1e-6)
    assert gamma_corrected(np.full(3, 2.), 2., False).tolist() == [2.] * 3


@pytest.mark.parametrize(('gammas', 'below'), [((0.5, 2), 0.5), ((0.5, 0.8), 1), ((1.5, 2), 0),
                                               ((1, 1), 0)])
def test_gammas_stay_in_their_range(gammas, below):
    np.random.seed(0)
    transform = BioMedicalRandomGamma(1, gammas)
    drawn = np.array([transform._draw(1)[0] for _ in range(200)])
    assert gammas[0] <= drawn.min() <= drawn.max() <= gammas[1]
    assert abs((drawn < 1).mean() - below) < 0.1


def test_gamma_of_each_modality_and_of_the_negative():
    for seed in range(3):
        np.random.seed(seed)
        transform = BioMedicalRandomGamma(1, per_channel=True, invert_image=True)
        out = transform(dict(img=IMG))['img']
        np.random.seed(seed)
        for c, gamma in enumerate(transform._draw(2)):
            np.testing.assert_array_equal(out[c], -gamma_corrected(-IMG[c], gamma, False))


@pytest.mark.parametrize('make', [BioMedicalGaussianNoise, BioMedicalGaussianBlur,
                                  BioMedicalRandomGamma])
def test_integers_are_refused(make):
    with pytest.raises(ShapeError, match=r'to_float32=True'):
        make()(dict(img=IMG.astype(np.uint8)))


@pytest.mark.parametrize(('make', 'args', 'said'), [
    (BioMedicalGaussianNoise, dict(std=-1), 'std is negative'),
    (BioMedicalGaussianBlur, dict(sigma_range=(-1, 1)), 'sigma_range is negative'),
    (BioMedicalRandomGamma, dict(gamma_range=(0, 1)), 'gamma must be positive')])
def test_wrong_arguments(make, args, said):
    with pytest.raises(ConfigError, match=said):
        make(**args)
