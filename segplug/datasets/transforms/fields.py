"""What every transform asks: which entries are label maps, and is a setting in range."""

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError, ShapeError


def label_keys(results: dict) -> list[str]:
    """Keys of the label maps in ``results``: seg_fields, and gt_seg_map in any case.

    mmcv's own LoadAnnotations does not enter gt_seg_map in seg_fields; it must move all the same.
    """
    keys = [k for k in results.get('seg_fields', []) if results.get(k) is not None]
    if results.get('gt_seg_map') is not None and 'gt_seg_map' not in keys:
        keys.append('gt_seg_map')
    return keys


def check_probability(prob, owner: str) -> float:
    """``prob`` as a float in [0, 1], or a ConfigError."""
    if isinstance(prob, bool) or not isinstance(prob, int | float) or not 0 <= prob <= 1:
        raise ConfigError(f'{owner}: prob is no probability.', got=repr(prob),
                          expected='a number from 0 to 1')
    return float(prob)


def as_range(value: float | Sequence[float], owner: str, name: str) -> tuple[float, float]:
    """(low, high) of a pair of numbers, or a ConfigError."""
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2 \
            or value[0] > value[1]:
        raise ConfigError(f'{owner}: {name} is no range.', got=repr(value),
                          expected='(low, high) with low <= high')
    return tuple(value)


def as_list(value, owner: str, name: str) -> list:
    """A sequence as a list (configs may hold tuples or lists), or a ConfigError."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not len(value):
        raise ConfigError(f'{owner}: {name} is no list.', got=repr(value),
                          expected='a tuple or list', culprit=name)
    return list(value)


def as_size(value, owner: str, name: str, order: str = 'H, W') -> tuple[int, ...]:
    """As many positive integers as ``order`` names, from them or from one for all."""
    count = order.count(',') + 1
    size = (value,) * count if isinstance(value, int) else value
    if isinstance(size, str) or not isinstance(size, Sequence) or len(size) != count \
            or any(isinstance(s, bool) or not isinstance(s, int) or s < 1 for s in size):
        raise ConfigError(f'{owner}: {name} is no size.', got=repr(value),
                          expected=f'a positive integer or ({order})', culprit=name)
    return tuple(size)


def check_image(img: np.ndarray, owner: str, dtypes: Sequence[type] = (np.uint8, np.uint16)
                ) -> None:
    """ShapeError unless ``img`` is (H, W) or (H, W, C) of one of ``dtypes``."""
    if img.ndim not in (2, 3) or img.dtype not in dtypes:
        names = ' or '.join(np.dtype(t).name for t in dtypes)
        raise ShapeError(f'{owner} cannot take this image.', got=f'{img.shape} {img.dtype}',
                         expected=f'(H, W) or (H, W, C), {names}',
                         fix=f'move {owner} before what makes floats (to_float32, Normalize)'
                         if img.dtype.kind == 'f' else None)


def takes_frames(transform) -> bool:
    """Whether ``transform`` works on an `ops.frames.Frame` as on an array.

    Its own class says so: one that overrides something of ours may expect arrays.
    """
    return 'takes_frames' in vars(type(transform)) and transform.takes_frames
