"""Gaussian blur of the image."""

from collections.abc import Sequence
from numbers import Number

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError
from ...registry import TRANSFORMS
from .fields import as_range, check_probability


@TRANSFORMS.register_module()
class GaussianBlur(BaseTransform):
    """Blur with a random width; borders are mirrored. Arguments as torchvision's, with ``prob``.

    Args:
        kernel_size: Odd width of the kernel in pixels; None takes 4 sigma to each side.
        sigma: Standard deviation in pixels, or (low, high) to draw it from uniformly.
        prob: Probability.
    """

    def __init__(self, kernel_size: int | None = None,
                 sigma: float | Sequence[float] = (0.1, 2.0), prob: float = 0.5) -> None:
        if kernel_size is not None and (kernel_size < 1 or kernel_size % 2 == 0):
            raise ConfigError('GaussianBlur: kernel_size must be odd and positive.',
                              got=kernel_size, fix=f'use {abs(kernel_size) + 1}')
        self.kernel_size = kernel_size
        self.sigma = as_range((sigma, sigma) if isinstance(sigma, Number) else sigma,
                              'GaussianBlur', 'sigma')
        if self.sigma[0] <= 0:
            raise ConfigError('GaussianBlur: sigma must be positive.', got=sigma)
        self.prob = check_probability(prob, 'GaussianBlur')

    @cache_randomness
    def _draw(self) -> tuple[bool, float]:
        """Whether to blur, and how much; two draws in any case."""
        return np.random.rand() < self.prob, np.random.uniform(*self.sigma)

    def transform(self, results: dict) -> dict:
        blur, sigma = self._draw()
        if blur:
            size = self.kernel_size or 2 * int(np.ceil(4 * sigma)) + 1
            img = results['img']
            # An axis of one channel stays, which cv2 drops.
            results['img'] = cv2.GaussianBlur(img, (size, size), sigma).reshape(img.shape)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma}, '
                f'prob={self.prob})')
