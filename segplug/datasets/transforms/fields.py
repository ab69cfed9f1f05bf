"""What every transform asks: which entries are label maps, and is a setting in range."""

from collections.abc import Sequence

from ...errors import ConfigError


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
