"""Resize and random scale: mmcv's classes, over every label map of a sample.

Image bilinear by default, labels nearest; sizes in arguments are (W, H), as published.
"""

from collections.abc import Sequence

import mmcv
import numpy as np
from mmcv import transforms as upstream

from ...errors import ConfigError
from ...ops import frames
from ...registry import TRANSFORMS
from .fields import as_range, label_keys, takes_frames


def _pair(value, name: str):
    """A number twice, a pair as tuple (configs may hold lists), None as it is."""
    if value is None or isinstance(value, int | float):
        return value if value is None else (value, value)
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise ConfigError(f'Resize: {name} is no size.', got=repr(value),
                          expected='a number or a pair (W, H)')
    return tuple(value)


def resized(img: np.ndarray | frames.Frame, size: Sequence[int], interpolation: str,
            backend: str = 'cv2'):
    """Array or Frame at ``size`` (W, H); an axis of one channel stays."""
    if backend == 'cv2':
        return frames.resize(img, tuple(size)[::-1], interpolation)
    pixels = np.asarray(img)
    out = mmcv.imresize(pixels, size, interpolation=interpolation, backend=backend)
    return out.reshape(*out.shape[:2], *pixels.shape[2:])


@TRANSFORMS.register_module()
class Resize(upstream.Resize):
    """Resize image and labels to ``scale``, or by ``scale_factor`` where no scale is given.

    Sets img_shape and scale_factor, (w, h).

    Args:
        scale: (W, H), or one number for both. With ``keep_ratio`` the box to fit into, whichever
            way it lies.
        scale_factor: (w, h) factors, or one number for both.
        keep_ratio: Keep the aspect ratio.
        clip_object_border: For boxes of third-party pipelines, see mmcv.
        backend: 'cv2' or 'pillow'.
        interpolation: Of the image; labels are always nearest.
    """

    takes_frames = True

    def __init__(self, scale: int | Sequence[int] | None = None,
                 scale_factor: float | Sequence[float] | None = None, keep_ratio: bool = False,
                 clip_object_border: bool = True, backend: str = 'cv2',
                 interpolation: str = 'bilinear') -> None:
        scale, scale_factor = _pair(scale, 'scale'), _pair(scale_factor, 'scale_factor')
        if scale is None and scale_factor is None:
            raise ConfigError('Resize needs scale or scale_factor.', culprit='Resize')
        super().__init__(scale=scale, scale_factor=scale_factor, keep_ratio=keep_ratio,
                         clip_object_border=clip_object_border, backend=backend,
                         interpolation=interpolation)

    def _resize_img(self, results: dict) -> None:
        height, width = results['img'].shape[:2]
        size = results['scale'] if not self.keep_ratio else \
            mmcv.rescale_size((width, height), results['scale'])
        results['img'] = resized(results['img'], size, self.interpolation, self.backend)
        results['img_shape'] = results['img'].shape[:2]
        results['scale_factor'] = size[0] / width, size[1] / height
        results['keep_ratio'] = self.keep_ratio

    def _resize_seg(self, results: dict) -> None:
        for key in label_keys(results):
            height, width = results[key].shape[:2]
            size = results['scale'] if not self.keep_ratio else \
                mmcv.rescale_size((width, height), results['scale'])
            results[key] = resized(results[key], size, 'nearest', self.backend)


@TRANSFORMS.register_module()
class RandomResize(upstream.RandomResize):
    """Resize by a random amount; the draw is mmcv's.

    Args:
        scale: (W, H) times a ratio of ``ratio_range``, or two sizes ((W, H), (W, H)) between which
            each side is drawn on its own.
        ratio_range: (low, high).
        resize_type: The transform that resizes, with an attribute ``scale``.
        resize_kwargs: Its arguments (checked there).
    """

    def __init__(self, scale: Sequence, ratio_range: Sequence[float] | None = None,
                 resize_type: str = 'Resize', **resize_kwargs) -> None:
        two_sizes = len(scale) == 2 and all(isinstance(s, Sequence) for s in scale)
        if two_sizes == (ratio_range is not None):
            raise ConfigError('RandomResize needs one (W, H) with ratio_range, or two sizes.',
                              got=f'scale={scale}, ratio_range={ratio_range}')
        self.scale = [tuple(s) for s in scale] if two_sizes else _pair(scale, 'scale')
        self.ratio_range = ratio_range if two_sizes else \
            as_range(ratio_range, 'RandomResize', 'ratio_range')
        self.resize_cfg = dict(type=resize_type, **resize_kwargs)
        # The draw sets the true scale; ours, where no default scope says whose Resize is meant.
        self.resize = TRANSFORMS.build({'scale': 0, **self.resize_cfg})

    @property
    def takes_frames(self) -> bool:
        return takes_frames(self.resize)
