"""Rotate image and labels by a random angle, or by quarter turns with a mirror."""

from collections.abc import Sequence
from numbers import Number

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError, ShapeError
from ...ops import frames
from ...registry import TRANSFORMS
from .fields import as_range, check_probability, label_keys


def border(pad_val: float | Sequence[float], num_channels: int) -> tuple:
    """One value for each channel; cv2 would take a number for the first only."""
    return (pad_val,) * num_channels if isinstance(pad_val, Number) else tuple(pad_val)


def rotated(img: np.ndarray | frames.Frame, degree: float, pad_val: float | Sequence[float],
            interpolation: str, center: tuple[float, float] | None = None,
            auto_bound: bool = False):
    """Array or Frame of any number of channels, rotated clockwise by ``degree``.

    Raises:
        ShapeError: ``pad_val`` has not one value for each channel.
    """
    num_channels = img.shape[2] if img.ndim == 3 else 1
    values = border(pad_val, num_channels)
    if len(values) != num_channels:
        raise ShapeError('pad_val needs one value for each channel.', got=f'{pad_val}',
                         expected=f'{num_channels} values, or one for all')
    matrix, size = rotation(img.shape[:2], degree, center, auto_bound)
    return frames.rotate(img, matrix, size, interpolation, values)


def rotation(size: tuple[int, int], degree: float, center: tuple[float, float] | None,
             auto_bound: bool) -> tuple[np.ndarray, tuple[int, int]]:
    """The (2, 3) matrix that turns (H, W) pixels, and the (H, W) of the result."""
    height, width = size
    matrix = cv2.getRotationMatrix2D(center or ((width - 1) / 2, (height - 1) / 2), -degree, 1.)
    if not auto_bound:
        return matrix, size
    cos, sin = np.abs(matrix[0, :2])
    bounds = width * cos + height * sin, height * cos + width * sin
    matrix[:, 2] += (bounds[0] - width) / 2, (bounds[1] - height) / 2
    return matrix, (int(np.round(bounds[1])), int(np.round(bounds[0])))


def turned(img: np.ndarray, quarters: int, axis: int) -> np.ndarray:
    """Turned counter-clockwise by ``quarters``, then mirrored along ``axis`` of rows, columns."""
    return np.ascontiguousarray(np.flip(np.rot90(img, quarters), axis))


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

    takes_frames = True

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
        results['img'] = self._rotated(results['img'], degree, self.pad_val, 'bilinear')
        results['img_shape'] = results['img'].shape[:2]
        for key in label_keys(results):
            results[key] = self._rotated(results[key], degree, self.seg_pad_val, 'nearest')
        return results

    def _rotated(self, img: np.ndarray, degree: float, pad_val, interpolation: str) -> np.ndarray:
        return rotated(img, degree, pad_val, interpolation, self.center, self.auto_bound)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, degree={self.degree}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val}, '
                f'center={self.center}, auto_bound={self.auto_bound})')


@TRANSFORMS.register_module()
class RandomRotFlip(BaseTransform):
    """Rotate by a drawn angle, or else turn by quarters and mirror. Sets img_shape.

    mmsegmentation's interpolates labels linearly, which invents classes between two others, and
    fills corners from outside with label 0; here labels are nearest and the corners ignored.

    Args:
        rotate_prob: Probability of rotating.
        flip_prob: Probability of turning and mirroring a sample that was not rotated.
        degree: (low, high) in degrees, positive is clockwise; a number d means (-d, d).
        pad_val: As `RandomRotate`'s.
        seg_pad_val: The same of labels; mmsegmentation's is 0, right where 0 is a background that
            goes on outside the image.
    """

    def __init__(self, rotate_prob: float = 0.5, flip_prob: float = 0.5,
                 degree: float | Sequence[float] = (-20, 20), *,
                 pad_val: float | Sequence[float] = 0, seg_pad_val: float = 255) -> None:
        self.rotate_prob = check_probability(rotate_prob, 'RandomRotFlip')
        self.flip_prob = check_probability(flip_prob, 'RandomRotFlip')
        self.degree = as_range((-degree, degree) if isinstance(degree, Number) else degree,
                               'RandomRotFlip', 'degree')
        self.pad_val, self.seg_pad_val = pad_val, seg_pad_val

    @cache_randomness
    def _draw(self) -> tuple[float | None, tuple[int, int] | None]:
        """Angle and (quarter turns, axis), each None if left out; mmsegmentation's draws."""
        angle = turn = None
        if np.random.random() < self.rotate_prob:
            angle = np.random.uniform(*self.degree)
        if np.random.random() < self.flip_prob and angle is None:
            turn = np.random.randint(0, 4), np.random.randint(0, 2)
        return angle, turn

    def transform(self, results: dict) -> dict:
        angle, turn = self._draw()
        for key in ['img', *label_keys(results)]:
            if angle is not None:
                value, how = (self.pad_val, 'bilinear') if key == 'img' else \
                    (self.seg_pad_val, 'nearest')
                results[key] = rotated(results[key], angle, value, how)
            elif turn is not None:
                results[key] = turned(results[key], *turn)
        results['img_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(rotate_prob={self.rotate_prob}, '
                f'flip_prob={self.flip_prob}, degree={self.degree}, pad_val={self.pad_val}, '
                f'seg_pad_val={self.seg_pad_val})')
