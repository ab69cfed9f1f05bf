"""Random brightness, contrast, saturation and hue.

The distortion of SSD (Liu et al., ECCV 2016) with mmsegmentation's arguments and draws. Each
step is a function of one 8-bit value (`ops.tables`), and the two steps in HSV share one
conversion.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ShapeError
from ...ops import tables
from ...registry import TRANSFORMS
from .fields import as_range


def hue_table(delta: int) -> np.ndarray:
    """(256,) uint8: hue (0..179, two degrees a step) turned by ``delta``."""
    return ((tables.VALUES.astype(int) + delta) % 180).astype(np.uint8)


def shift_hsv(img: np.ndarray, saturation: float, hue: int) -> np.ndarray:
    """(H, W, 3) uint8 BGR with saturation multiplied and hue turned."""
    steps = np.stack([hue_table(hue), tables.linear_table(saturation), tables.VALUES])
    hsv = tables.look_up(cv2.cvtColor(img, cv2.COLOR_BGR2HSV), steps)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR, dst=hsv)


@TRANSFORMS.register_module()
class PhotoMetricDistortion(BaseTransform):
    """Each of brightness, contrast, saturation and hue with probability one half.

    Contrast comes before or after the colour steps, at random.

    Args:
        brightness_delta: Largest shift of the values.
        contrast_range: (low, high) factor of the values.
        saturation_range: (low, high) factor of the saturation.
        hue_delta: Largest turn of the hue, in steps of two degrees (the upper end excluded).

    Raises:
        ShapeError: The image is not (H, W, 3) uint8.
    """

    def __init__(self, brightness_delta: int = 32, contrast_range: Sequence[float] = (0.5, 1.5),
                 saturation_range: Sequence[float] = (0.5, 1.5), hue_delta: int = 18) -> None:
        self.brightness_delta = brightness_delta
        self.contrast_range = as_range(contrast_range, 'PhotoMetricDistortion', 'contrast_range')
        self.saturation_range = as_range(saturation_range, 'PhotoMetricDistortion',
                                         'saturation_range')
        self.hue_delta = hue_delta

    @cache_randomness
    def _draw(self) -> dict:
        """The strength of each step, neutral where it is left out; mmsegmentation's order."""
        strength = dict(
            brightness=_maybe(np.random.uniform, -self.brightness_delta, self.brightness_delta),
            contrast_first=bool(np.random.randint(2)))
        if strength['contrast_first']:
            strength['contrast'] = _maybe(np.random.uniform, *self.contrast_range)
        strength['saturation'] = _maybe(np.random.uniform, *self.saturation_range)
        strength['hue'] = _maybe(np.random.randint, -self.hue_delta, max(self.hue_delta, 1))
        if not strength['contrast_first']:
            strength['contrast'] = _maybe(np.random.uniform, *self.contrast_range)
        return strength

    def transform(self, results: dict) -> dict:
        img = results['img']
        if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] != 3:
            raise ShapeError('PhotoMetricDistortion works on 8-bit colour images.',
                             got=f'{img.shape} {img.dtype}', expected='(H, W, 3) uint8')
        drawn = self._draw()
        if drawn['brightness'] is not None:
            img = tables.add(img, drawn['brightness'])
        if drawn['contrast_first'] and drawn['contrast'] is not None:
            img = tables.scale(img, drawn['contrast'])
        if drawn['saturation'] is not None or drawn['hue']:
            saturation = 1. if drawn['saturation'] is None else drawn['saturation']
            img = shift_hsv(img, saturation, drawn['hue'] or 0)
        if not drawn['contrast_first'] and drawn['contrast'] is not None:
            img = tables.scale(img, drawn['contrast'])
        results['img'] = img
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(brightness_delta={self.brightness_delta}, '
                f'contrast_range={self.contrast_range}, '
                f'saturation_range={self.saturation_range}, hue_delta={self.hue_delta})')


def _maybe(draw, low: float, high: float) -> float | None:
    """A draw with probability one half, else None."""
    return draw(low, high) if np.random.randint(2) else None
