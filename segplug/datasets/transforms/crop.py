"""Random crop, with a bound on the share that one class may take of it."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError
from ...ops import frames
from ...registry import TRANSFORMS
from .fields import label_keys

_TRIES = 10  # mmsegmentation's number; the last draw is taken as it comes


def draw_window(shape: Sequence[int], size: tuple[int, int]) -> tuple[slice, slice]:
    """A window of ``size`` (H, W) at a uniform place, cut to an image that is smaller."""
    top = np.random.randint(0, max(shape[0] - size[0], 0) + 1)
    left = np.random.randint(0, max(shape[1] - size[1], 0) + 1)
    return slice(top, top + size[0]), slice(left, left + size[1])


def value_counts(label: np.ndarray) -> np.ndarray:
    """How many pixels of (H, W) uint8 or uint16 ``label`` have each value; at least 256 counts."""
    if label.dtype == np.uint8 and label.size < 1 << 24:  # float32 counts exactly up to there
        return cv2.calcHist([label], [0], None, [256], (0, 256)).ravel()
    return np.bincount(label.ravel(), minlength=256)


def is_varied(label: np.ndarray, max_ratio: float, ignore_index: int | None) -> bool:
    """Whether (H, W) ``label`` has two classes or more, none with ``max_ratio`` of its pixels;
    ignored pixels do not count."""
    counts = value_counts(label)
    if ignore_index in range(len(counts)):
        counts[ignore_index] = 0
    return np.count_nonzero(counts) > 1 and counts.max() / counts.sum() < max_ratio


@TRANSFORMS.register_module()
class RandomCrop(BaseTransform):
    """Crop image and labels at one random place. Sets img_shape.

    Args:
        crop_size: (H, W), or one number for both. An image smaller than that keeps its size;
            the preprocessor pads it.
        cat_max_ratio: Draw again, up to ten times, while one class has at least this share of
            the labelled pixels. 1 takes the first draw.
        ignore_index: Label value that counts as no class; None, or a value that 8 bits do not
            hold, where all do.
    """

    takes_frames = True

    def __init__(self, crop_size: int | Sequence[int], cat_max_ratio: float = 1.,
                 ignore_index: int | None = 255) -> None:
        size = (crop_size, crop_size) if isinstance(crop_size, int) else tuple(crop_size)
        if len(size) != 2 or min(size) < 1:
            raise ConfigError('RandomCrop: crop_size is no size.', got=repr(crop_size),
                              expected='a positive number or a pair (H, W)')
        self.crop_size = size
        self.cat_max_ratio = cat_max_ratio
        self.ignore_index = ignore_index

    @cache_randomness
    def crop_window(self, results: dict) -> tuple[slice, slice]:
        """The (rows, columns) to keep."""
        shape = results['img'].shape
        window = draw_window(shape, self.crop_size)
        if self.cat_max_ratio < 1:
            for _ in range(_TRIES):
                if is_varied(results['gt_seg_map'][window], self.cat_max_ratio,
                             self.ignore_index):
                    break
                window = draw_window(shape, self.crop_size)
        return window

    def transform(self, results: dict) -> dict:
        window = self.crop_window(results)
        for key in ['img', *label_keys(results)]:
            results[key] = frames.crop(results[key], *window)
        results['img_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(crop_size={self.crop_size}, '
                f'cat_max_ratio={self.cat_max_ratio}, ignore_index={self.ignore_index})')
