"""Transforms of an image's values that draw nothing: equalisation, gamma, range, grey.

Names, arguments and defaults are mmsegmentation's. A value of an integer image goes through a
table; the type of the image stays, except for `Rerange`, whose result is no integer.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, ShapeError
from ...registry import TRANSFORMS
from .fields import as_list, as_size, check_image


def gamma_table(gamma: float, dtype: type = np.uint8) -> np.ndarray:
    """(256,) or (65536,) of ``dtype``: top * (value / top) ** (1 / gamma), rounded down."""
    top = np.iinfo(dtype).max
    # One by one: numpy's power of an array may differ in the last bit, which rounds down.
    return np.array([(v / top) ** (1 / gamma) * top for v in range(top + 1)]).astype(dtype)


def rerange(img: np.ndarray, low: float, high: float) -> np.ndarray:
    """float32 of the same shape, least value ``low``, largest ``high``; a flat image is ``low``."""
    least, most = img.min(), img.max()
    if least == most:
        return np.full(img.shape, low, np.float32)
    # In float64, so that 16-bit values are exact.
    unit = (img.astype(np.float64) - least) / (float(most) - float(least))
    return (unit * (high - low) + low).astype(np.float32)


def planes_of(img: np.ndarray) -> list[np.ndarray]:
    """The channels of (H, W) or (H, W, C), each (H, W) and contiguous."""
    return [np.ascontiguousarray(img)] if img.ndim == 2 else \
        [np.ascontiguousarray(img[..., c]) for c in range(img.shape[2])]


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@TRANSFORMS.register_module()
class CLAHE(BaseTransform):
    """Contrast-limited adaptive histogram equalisation of each channel (Zuiderveld 1994).

    mmsegmentation's writes into the loaded array and cuts 16-bit and float values to 8 bits;
    here the array stays, 16 bits are equalised as such, and floats are refused.

    Args:
        clip_limit: Contrast limit.
        tile_grid_size: (rows, columns) of tiles, as published (cv2's own order).

    Raises:
        ShapeError: The image is not (H, W) or (H, W, C) of uint8 or uint16.
    """

    def __init__(self, clip_limit: float = 40.0, tile_grid_size: Sequence[int] = (8, 8)) -> None:
        if not is_number(clip_limit):
            raise ConfigError('CLAHE: clip_limit is no number.', got=repr(clip_limit))
        self.clip_limit = clip_limit
        self.tile_grid_size = as_size(tile_grid_size, 'CLAHE', 'tile_grid_size', 'rows, columns')

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_image(img, 'CLAHE')
        clahe = cv2.createCLAHE(self.clip_limit, self.tile_grid_size)
        planes = [clahe.apply(plane) for plane in planes_of(img)]
        results['img'] = planes[0] if img.ndim == 2 else np.stack(planes, -1)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(clip_limit={self.clip_limit}, '
                f'tile_grid_size={self.tile_grid_size})')


@TRANSFORMS.register_module()
class AdjustGamma(BaseTransform):
    """Gamma correction by a table, see `gamma_table`; above 1 brightens.

    mmsegmentation's cuts any image to 8 bits; here 16 bits keep theirs and floats are refused.

    Args:
        gamma: Positive; 1 changes nothing.

    Raises:
        ShapeError: The image is not (H, W) or (H, W, C) of uint8 or uint16.
    """

    def __init__(self, gamma: float = 1.0) -> None:
        if not is_number(gamma) or gamma <= 0:
            raise ConfigError('AdjustGamma: gamma must be a positive number.', got=repr(gamma))
        self.gamma = gamma
        self._tables = {np.uint8: gamma_table(gamma)}

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_image(img, 'AdjustGamma')
        kind = img.dtype.type
        if kind not in self._tables:
            self._tables[kind] = gamma_table(self.gamma, kind)
        table = self._tables[kind]
        results['img'] = cv2.LUT(img, table).reshape(img.shape) if kind is np.uint8 else table[img]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gamma={self.gamma})'


@TRANSFORMS.register_module()
class Rerange(BaseTransform):
    """Stretch the values of the whole image to a range; float32 whatever came.

    mmsegmentation's stops training at an image of one value (`rerange` gives ``min_value``), and
    gives float64.

    Args:
        min_value: Least value of the result.
        max_value: Largest one.
    """

    def __init__(self, min_value: float = 0, max_value: float = 255) -> None:
        if not is_number(min_value) or not is_number(max_value) or min_value >= max_value:
            raise ConfigError('Rerange: min_value and max_value are no range.',
                              got=f'{min_value!r} and {max_value!r}',
                              expected='two numbers, min_value < max_value')
        self.min_value, self.max_value = min_value, max_value

    def transform(self, results: dict) -> dict:
        results['img'] = rerange(results['img'], self.min_value, self.max_value)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(min_value={self.min_value}, max_value={self.max_value})'


@TRANSFORMS.register_module()
class RGB2Gray(BaseTransform):
    """Weighted sum of the channels, repeated to ``out_channels``.

    mmsegmentation's default weights are in the order R, G, B, though images are loaded as B, G, R;
    here the default is in the order of the image. Its result is float64; here the type stays, and
    integers are rounded. img_shape is (H, W).

    Args:
        out_channels: Channels of the result; None takes as many as came.
        weights: One for each channel, in the image's order.

    Raises:
        ShapeError: The image has no channels, or not as many as there are weights.
    """

    def __init__(self, out_channels: int | None = None,
                 weights: Sequence[float] = (0.114, 0.587, 0.299)) -> None:
        if out_channels is not None and (not isinstance(out_channels, int) or out_channels < 1):
            raise ConfigError('RGB2Gray: out_channels must be positive.', got=repr(out_channels))
        self.out_channels = out_channels
        self.weights = tuple(as_list(weights, 'RGB2Gray', 'weights'))
        if not all(map(is_number, self.weights)):
            raise ConfigError('RGB2Gray: weights must be numbers.', got=repr(weights))

    def transform(self, results: dict) -> dict:
        img = results['img']
        if img.ndim != 3 or img.shape[2] != len(self.weights):
            raise ShapeError('RGB2Gray has a weight for each channel.', got=f'{img.shape}',
                             expected=f'(H, W, {len(self.weights)})', fix='give other weights')
        grey = img @ np.array(self.weights)
        if img.dtype.kind in 'ui':
            grey = np.clip(np.rint(grey), 0, np.iinfo(img.dtype).max)
        grey = grey.astype(img.dtype)[..., None]
        results['img'] = grey.repeat(self.out_channels or img.shape[2], axis=2)
        results['img_shape'] = img.shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(out_channels={self.out_channels}, '
                f'weights={self.weights})')
