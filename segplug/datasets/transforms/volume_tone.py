"""Values of a volume: noise, blur and gamma of biomedical images.

mmsegmentation's names, arguments and draws, which are batchgenerators' (Isensee et al., 2020).
Image (N, Z, Y, X) float, N modalities; it is never written into.
"""

from collections.abc import Sequence
from numbers import Number

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError, ShapeError
from ...registry import TRANSFORMS
from .fields import as_range, check_probability


def check_float(img: np.ndarray, owner: str) -> None:
    """ShapeError unless ``img`` is (N, Z, Y, X) float."""
    if img.ndim != 4 or img.dtype.kind != 'f':
        raise ShapeError(f'{owner} works on volumes of floats.', got=f'{img.shape} {img.dtype}',
                         expected='(N, Z, Y, X) float',
                         fix='load it with LoadBiomedicalImageFromFile(to_float32=True)')


@TRANSFORMS.register_module()
class BioMedicalGaussianNoise(BaseTransform):
    """Add noise whose standard deviation is uniform in [0, std).

    Args:
        prob: Probability.
        mean: Of the noise.
        std: Largest standard deviation.
    """

    def __init__(self, prob: float = 0.1, mean: float = 0.0, std: float = 0.1) -> None:
        self.prob = check_probability(prob, 'BioMedicalGaussianNoise')
        if std < 0:
            raise ConfigError('BioMedicalGaussianNoise: std is negative.', got=std)
        self.mean, self.std = mean, std

    @cache_randomness
    def _draw(self, shape: tuple[int, ...]) -> np.ndarray | None:
        if np.random.rand() >= self.prob:
            return None
        return np.random.normal(self.mean, np.random.uniform(0, self.std), size=shape)

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_float(img, 'BioMedicalGaussianNoise')
        noise = self._draw(img.shape)
        if noise is not None:
            results['img'] = img + noise.astype(img.dtype)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, mean={self.mean}, std={self.std})'


@TRANSFORMS.register_module()
class BioMedicalGaussianBlur(BaseTransform):
    """Blur some modalities with random widths. Whole numbers as range mean floats here;
    mmsegmentation rounds its draws down to whole numbers then, and blurs the loaded array.

    Args:
        sigma_range: (low, high) of the standard deviation in voxels, or one number.
        prob: Probability for the sample.
        prob_per_channel: Probability for each modality.
        different_sigma_per_channel: Draw for each modality, else once.
        different_sigma_per_axis: Draw for each axis, else once.
    """

    def __init__(self, sigma_range: float | Sequence[float] = (0.5, 1.0), prob: float = 0.2,
                 prob_per_channel: float = 0.5, different_sigma_per_channel: bool = True,
                 different_sigma_per_axis: bool = True) -> None:
        name = 'BioMedicalGaussianBlur'
        self.sigma_range = as_range((sigma_range, sigma_range) if isinstance(sigma_range, Number)
                                    else sigma_range, name, 'sigma_range')
        if self.sigma_range[0] < 0:
            raise ConfigError(f'{name}: sigma_range is negative.', got=repr(sigma_range))
        self.prob = check_probability(prob, name)
        self.prob_per_channel = check_probability(prob_per_channel, name)
        self.different_sigma_per_channel = different_sigma_per_channel
        self.different_sigma_per_axis = different_sigma_per_axis

    def _draw_sigma(self) -> float:
        low, high = self.sigma_range
        return low if low == high else np.random.uniform(low, high)

    @cache_randomness
    def _draw(self, num_channels: int) -> dict[int, float | list[float]]:
        """The width of each modality that is blurred, one or one per axis."""
        if np.random.rand() >= self.prob:
            return {}
        sigmas, sigma = {}, None
        for c in range(num_channels):
            if np.random.rand() < self.prob_per_channel:
                if sigma is None or self.different_sigma_per_channel:
                    sigma = [self._draw_sigma() for _ in range(3)] \
                        if self.different_sigma_per_axis else self._draw_sigma()
                sigmas[c] = sigma
        return sigmas

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_float(img, 'BioMedicalGaussianBlur')
        sigmas = self._draw(img.shape[0])
        if sigmas:
            from scipy.ndimage import gaussian_filter
            img = img.copy()
            for c, sigma in sigmas.items():
                gaussian_filter(img[c], sigma, output=img[c])
            results['img'] = img
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'prob_per_channel={self.prob_per_channel}, sigma_range={self.sigma_range}, '
                f'different_sigma_per_channel={self.different_sigma_per_channel}, '
                f'different_sigma_per_axis={self.different_sigma_per_axis})')


def gamma_corrected(img: np.ndarray, gamma: float, retain_stats: bool) -> np.ndarray:
    """((img - min) / range) ** gamma * range + min; with the mean and deviation it had, if so."""
    low = img.min()
    span = img.max() - low
    out = np.power((img - low) / float(span + 1e-7), gamma) * span + low
    if retain_stats:
        out = out - out.mean()
        out = out / (out.std() + 1e-8) * img.std() + img.mean()
    return out.astype(img.dtype, copy=False)


@TRANSFORMS.register_module()
class BioMedicalRandomGamma(BaseTransform):
    """Gamma correction over the range of the values, see `gamma_corrected`.

    gamma is below 1 in half of the draws. mmsegmentation's leaves a range that lies on one side
    of 1, and fails with per_channel; here neither.

    Args:
        prob: Probability.
        gamma_range: (low, high), positive.
        invert_image: Correct the negative of the image.
        per_channel: Draw for each modality on its own.
        retain_stats: Keep mean and standard deviation.
    """

    def __init__(self, prob: float = 0.5, gamma_range: Sequence[float] = (0.5, 2),
                 invert_image: bool = False, per_channel: bool = False,
                 retain_stats: bool = False) -> None:
        self.prob = check_probability(prob, 'BioMedicalRandomGamma')
        self.gamma_range = as_range(gamma_range, 'BioMedicalRandomGamma', 'gamma_range')
        if self.gamma_range[0] <= 0:
            raise ConfigError('BioMedicalRandomGamma: gamma must be positive.',
                              got=repr(gamma_range))
        self.invert_image, self.per_channel = invert_image, per_channel
        self.retain_stats = retain_stats

    @cache_randomness
    def _draw(self, num_channels: int) -> list[float]:
        """A gamma for each modality; none where nothing is corrected."""
        if np.random.rand() >= self.prob:
            return []
        gammas = [self._draw_gamma() for _ in range(num_channels if self.per_channel else 1)]
        return gammas if self.per_channel else gammas * num_channels

    def _draw_gamma(self) -> float:
        low, high = self.gamma_range
        if (np.random.random() < 0.5 or high <= 1) and low < 1:
            return np.random.uniform(low, min(high, 1))
        return np.random.uniform(max(low, 1), high)

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_float(img, 'BioMedicalRandomGamma')
        gammas = self._draw(img.shape[0])
        if gammas:
            img = -img if self.invert_image else img
            img = np.stack([gamma_corrected(c, g, self.retain_stats)
                            for c, g in zip(img, gammas, strict=True)]) if self.per_channel else \
                gamma_corrected(img, gammas[0], self.retain_stats)
            results['img'] = -img if self.invert_image else img
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, gamma_range={self.gamma_range}, '
                f'invert_image={self.invert_image}, per_channel={self.per_channel}, '
                f'retain_stats={self.retain_stats})')
