"""Rectangles of the image filled with a constant (DeVries and Taylor 2017, arXiv 1708.04552)."""

from collections.abc import Sequence
from numbers import Number

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError, ShapeError
from ...registry import TRANSFORMS
from .fields import as_list, check_probability, label_keys


def _pairs(value, name: str) -> list[tuple]:
    """One pair, or several, as a list of pairs of numbers that are not negative."""
    pairs = as_list(value, 'RandomCutOut', name)
    pairs = [pairs] if isinstance(pairs[0], Number) else pairs
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2 or min(pair) < 0:
            raise ConfigError(f'RandomCutOut: {name} is no size.', got=repr(value),
                              expected='(W, H), or a list of such pairs', culprit=name)
    return [tuple(p) for p in pairs]


@TRANSFORMS.register_module()
class RandomCutOut(BaseTransform):
    """Fill rectangles whose upper left corner is at a uniform place.

    mmsegmentation's writes into the loaded arrays, which others may share; here they are copied.

    Args:
        prob: Probability.
        n_holes: Number of rectangles, or (low, high) of it, both included.
        cutout_shape: (W, H) in pixels, or several to draw from.
        cutout_ratio: The same as shares of the image; one of the two is given.
        fill_in: Value of each channel, or one number for all.
        seg_fill_in: Label of the filled pixels, 0 to 255; None leaves labels as they are.
    """

    def __init__(self, prob: float, n_holes: int | Sequence[int],
                 cutout_shape: Sequence | None = None, cutout_ratio: Sequence | None = None,
                 fill_in: float | Sequence[float] = (0, 0, 0),
                 seg_fill_in: int | None = None) -> None:
        self.prob = check_probability(prob, 'RandomCutOut')
        low, high = (n_holes, n_holes) if isinstance(n_holes, int) else \
            as_list(n_holes, 'RandomCutOut', 'n_holes')
        if not 0 <= low <= high:
            raise ConfigError('RandomCutOut: n_holes is no range.', got=repr(n_holes))
        if (cutout_shape is None) == (cutout_ratio is None):
            raise ConfigError('RandomCutOut needs one of cutout_shape and cutout_ratio.',
                              culprit='cutout_ratio')
        if seg_fill_in is not None and (not isinstance(seg_fill_in, int)
                                        or not 0 <= seg_fill_in <= 255):
            raise ConfigError('RandomCutOut: seg_fill_in is no label.', got=repr(seg_fill_in),
                              expected='an integer from 0 to 255, or None')
        self.n_holes = low, high
        self.with_ratio = cutout_ratio is not None
        self.candidates = _pairs(cutout_ratio, 'cutout_ratio') if self.with_ratio else \
            _pairs(cutout_shape, 'cutout_shape')
        self.fill_in, self.seg_fill_in = fill_in, seg_fill_in

    @cache_randomness
    def generate_holes(self, shape: Sequence[int]) -> list[tuple[slice, slice]]:
        """(rows, columns) of each rectangle in an image of ``shape``; mmsegmentation's draws."""
        if np.random.rand() >= self.prob:
            return []
        height, width = shape[:2]
        holes = []
        for _ in range(np.random.randint(self.n_holes[0], self.n_holes[1] + 1)):
            left, top = np.random.randint(0, width), np.random.randint(0, height)
            size = self.candidates[np.random.randint(0, len(self.candidates))]
            if self.with_ratio:
                size = int(size[0] * width), int(size[1] * height)
            holes.append((slice(top, top + size[1]), slice(left, left + size[0])))
        return holes

    def transform(self, results: dict) -> dict:
        holes = self.generate_holes(results['img'].shape)
        if not holes:
            return results
        results['img'] = _filled(results['img'], holes, self.fill_in)
        if self.seg_fill_in is not None:
            for key in label_keys(results):
                results[key] = _filled(results[key], holes, self.seg_fill_in)
        return results

    def __repr__(self) -> str:
        name = 'cutout_ratio' if self.with_ratio else 'cutout_shape'
        return (f'{type(self).__name__}(prob={self.prob}, n_holes={self.n_holes}, '
                f'{name}={self.candidates}, fill_in={self.fill_in}, '
                f'seg_fill_in={self.seg_fill_in})')


def _filled(img: np.ndarray, holes: list[tuple[slice, slice]], value) -> np.ndarray:
    if not isinstance(value, Number) and img.shape[2:] != (len(value),):
        raise ShapeError('RandomCutOut: fill_in needs one value for each channel.',
                         got=f'{value} for an image {img.shape}', fix='give one number for all')
    img = img.copy()
    for hole in holes:
        img[hole] = value
    return img
