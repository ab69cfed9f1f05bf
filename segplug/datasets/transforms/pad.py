"""Pad image and labels, and the crop of the middle, which may pad first.

Arguments are mmcv's, whose classes leave every label map but gt_seg_map at its old size.
"""

from collections.abc import Mapping, Sequence
from numbers import Number

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, ShapeError
from ...registry import TRANSFORMS
from .fields import as_size, label_keys

_MODES = ('constant', 'edge', 'reflect', 'symmetric')


def padded(img: np.ndarray, size: Sequence[int], value: float | Sequence[float] = 0,
           mode: str = 'constant') -> np.ndarray:
    """(H, W) or (H, W, C) filled up at the right and at the bottom to at least ``size`` (H, W).

    Args:
        img: Any type and number of channels.
        size: An edge that is longer already stays.
        value: One for all channels, or one for each; for mode 'constant'.
        mode: numpy's: 'constant', 'edge', 'reflect' or 'symmetric'.

    Raises:
        ShapeError: ``value`` has not one number for each channel.
    """
    height, width = (max(a, b) for a, b in zip(size, img.shape[:2], strict=True))
    if mode != 'constant':
        rest = [(0, height - img.shape[0]), (0, width - img.shape[1])]
        return np.pad(img, rest + [(0, 0)] * (img.ndim - 2), mode=mode)
    if not isinstance(value, Number) and len(value) != (img.shape[2] if img.ndim == 3 else 1):
        raise ShapeError('pad_val needs one value for each channel.', got=f'{value}',
                         expected=f'as many as the image {img.shape} has, or one for all')
    out = np.empty((height, width, *img.shape[2:]), img.dtype)
    out[:img.shape[0], :img.shape[1]] = img
    out[img.shape[0]:] = out[:, img.shape[1]:] = value
    return out


@TRANSFORMS.register_module()
class Pad(BaseTransform):
    """Pad image and every label map at the right and at the bottom.

    Sets img_shape and pad_shape, (H, W), pad_fixed_size and pad_size_divisor. mmcv's fills only
    the first channel of a colour image where pad_val is no int.

    Args:
        size: (W, H) of the result; an edge that is longer already stays.
        size_divisor: Pad each edge to a multiple of it.
        pad_to_square: Pad to a square, then to the divisor.
        pad_val: ``img`` (0) a number or one per channel, ``seg`` (255) a number, by name; a
            number alone is of the image.
        padding_mode: 'constant', or 'edge', 'reflect', 'symmetric' (numpy's), of labels too.
    """

    def __init__(self, size: Sequence[int] | None = None, size_divisor: int | None = None,
                 pad_to_square: bool = False,
                 pad_val: float | Mapping = dict(img=0, seg=255),
                 padding_mode: str = 'constant') -> None:
        ways = [size is not None, size_divisor is not None, bool(pad_to_square)]
        if not any(ways) or (ways[0] and any(ways[1:])):
            raise ConfigError('Pad needs size, or else size_divisor or pad_to_square or both.',
                              got=f'size={size}, size_divisor={size_divisor}, '
                                  f'pad_to_square={pad_to_square}', culprit='Pad')
        self.size = None if size is None else as_size(size, 'Pad', 'size', 'W, H')
        self.size_divisor = None if size_divisor is None else \
            as_size(size_divisor, 'Pad', 'size_divisor', 'edge')[0]
        self.pad_to_square = pad_to_square
        values = pad_val if isinstance(pad_val, Mapping) else dict(img=pad_val)
        if not set(values) <= {'img', 'seg'}:
            raise ConfigError('Pad: pad_val is of img and seg.', got=repr(pad_val))
        self.pad_val = dict(img=values.get('img', 0), seg=values.get('seg', 255))
        if padding_mode not in _MODES:
            raise ConfigError('Pad: padding_mode is unknown.', got=repr(padding_mode),
                              expected=f'one of {", ".join(_MODES)}', culprit=str(padding_mode))
        self.padding_mode = padding_mode

    def padded_size(self, shape: Sequence[int]) -> tuple[int, int]:
        """(H, W) that an image of ``shape`` is padded to."""
        if self.size is not None:
            return self.size[::-1]
        size = (max(shape[:2]),) * 2 if self.pad_to_square else tuple(shape[:2])
        divisor = self.size_divisor or 1
        return tuple(-(-edge // divisor) * divisor for edge in size)

    def transform(self, results: dict) -> dict:
        size = self.padded_size(results['img'].shape)
        results['img'] = padded(results['img'], size, self.pad_val['img'], self.padding_mode)
        for key in label_keys(results):
            results[key] = padded(results[key], size, self.pad_val['seg'], self.padding_mode)
        results['img_shape'] = results['pad_shape'] = results['img'].shape[:2]
        results['pad_fixed_size'], results['pad_size_divisor'] = self.size, self.size_divisor
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(size={self.size}, size_divisor={self.size_divisor}, '
                f'pad_to_square={self.pad_to_square}, pad_val={self.pad_val}, '
                f'padding_mode={self.padding_mode!r})')


@TRANSFORMS.register_module()
class CenterCrop(BaseTransform):
    """Cut image and every label map to the middle. Sets img_shape and pad_shape.

    Args:
        crop_size: (W, H), or one number for both; an edge that is shorter stays.
        auto_pad: Pad shorter edges first, by ``pad_cfg``.
        pad_cfg: Of the transform that pads; its size is set here.
        clip_object_border: mmcv's, of boxes; without effect.
    """

    def __init__(self, crop_size: int | Sequence[int], auto_pad: bool = False,
                 pad_cfg: dict = dict(type='Pad'), clip_object_border: bool = True) -> None:
        self.crop_size = as_size(crop_size, 'CenterCrop', 'crop_size', 'W, H')
        self.auto_pad = auto_pad
        self.clip_object_border = clip_object_border
        if 'size' in pad_cfg:
            raise ConfigError('CenterCrop sets the size to pad to.', got=repr(pad_cfg),
                              fix='remove size from pad_cfg', culprit='pad_cfg')
        self.pad_cfg = dict(pad_cfg)
        self.pad = TRANSFORMS.build(dict(self.pad_cfg, size=self.crop_size)) if auto_pad else None

    def transform(self, results: dict) -> dict:
        width, height = self.crop_size
        if self.pad is not None:
            results = self.pad(results)
        # Half a pixel goes to the even side, as mmcv's rounding has it.
        top, left = (max(0, round((have - want) / 2)) for have, want in
                     zip(results['img'].shape[:2], (height, width), strict=True))
        for key in ['img', *label_keys(results)]:
            results[key] = np.ascontiguousarray(
                results[key][top:top + height, left:left + width])
        results['img_shape'] = results['pad_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(crop_size={self.crop_size}, auto_pad={self.auto_pad}, '
                f'pad_cfg={self.pad_cfg}, clip_object_border={self.clip_object_border})')
