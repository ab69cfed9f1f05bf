"""Rotate image and labels by a random angle."""

from collections.abc import Sequence
from numbers import Number

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError
from ...registry import TRANSFORMS
from .fields import as_range, check_probability, label_keys


def border(pad_val: float | Sequence[float], num_channels: int) -> tuple:
    """One value for each of up to four channels; cv2 would take a number for the first only."""
    return (pad_val,) * num_channels if isinstance(pad_val, Number) else tuple(pad_val)


@TRANSFORMS.register_module()
class RandomRotate(BaseTransform):
    """Rotate by an angle drawn uniformly; image bilinear, labels nearest. Sets img_shape.

    Args:
        prob: Probability.
        degree: (low, high) in degrees, positive is clockwise; a number d means (-d, d).
        pad_val: Value of image pixels that come from outside: a number, or one per channel in the
            order of the image as loaded (BGR).
        seg_pad_val: The same of labels.
        center: (x, y) in pixels; None is the middle.
        auto_bound: Enlarge the image so that nothing is cut off.
    """

    def __init__(self, prob: float, degree: float | Sequence[float],
                 pad_val: float | Sequence[float] = 0, seg_pad_val: float = 255,
                 center: Sequence[float] | None = None, auto_bound: bool = False) -> None:
        self.prob = check_probability(prob, 'RandomRotate')
        self.degree = as_range((-degree, degree) if isinstance(degree, Number) else degree,
                               'RandomRotate', 'degree')
        if center is not None and auto_bound:
            raise ConfigError('RandomRotate: auto_bound rotates about the middle.',
                              fix='remove center or auto_bound', culprit='auto_bound')
        self.pad_val, self.seg_pad_val = pad_val, seg_pad_val
        self.center = None if center is None else tuple(center)
        self.auto_bound = auto_bound

    @cache_randomness
    def generate_degree(self) -> tuple[bool, float]:
        """Whether to rotate, and by how much; two draws in any case."""
        return np.random.rand() < self.prob, np.random.uniform(*self.degree)

    def transform(self, results: dict) -> dict:
        rotate, degree = self.generate_degree()
        if not rotate:
            return results
        img = results['img']
        pad_val = border(self.pad_val, img.shape[2] if img.ndim == 3 else 1)
        results['img'] = self._rotated(img, degree, pad_val, 'bilinear')
        results['img_shape'] = results['img'].shape[:2]
        for key in label_keys(results):
            results[key] = self._rotated(results[key], degree, self.seg_pad_val, 'nearest')
        return results

    def _rotated(self, img: np.ndarray, degree: float, pad_val, interpolation: str) -> np.ndarray:
        return mmcv.imrotate(img, degree, center=self.center, border_value=pad_val,
                             interpolation=interpolation, auto_bound=self.auto_bound)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, degree={self.degree}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val}, '
                f'center={self.center}, auto_bound={self.auto_bound})')
