"""Mirror image and labels."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError
from ...ops import frames
from ...registry import TRANSFORMS
from ..labels import mapped
from .fields import check_probability, label_keys


def swap_labels(label: np.ndarray | frames.Frame, pairs: Sequence[Sequence[int]]):
    """(H, W) uint8 or uint16 with the two values of each pair exchanged (left arm, right arm)."""
    return mapped(label, {a: b for pair in pairs for a, b in (pair, pair[::-1])}, False)


@TRANSFORMS.register_module()
class RandomFlip(BaseTransform):
    """Mirror with a probability; sets flip and flip_direction. The draw is mmcv's.

    Args:
        prob: Probability, shared evenly by the directions, or one for each direction.
        direction: 'horizontal', 'vertical', 'diagonal' or a list of them.
        swap_seg_labels: Pairs of values of gt_seg_map to exchange when mirrored; other maps, such
            as edges or depth, hold no classes.
    """

    takes_frames = True

    def __init__(self, prob: float | Sequence[float] | None = None,
                 direction: str | Sequence[str] = 'horizontal',
                 swap_seg_labels: Sequence | None = None) -> None:
        directions = [direction] if isinstance(direction, str) else list(direction)
        if not directions or not set(directions) <= set(frames.DIRECTIONS):
            raise ConfigError('RandomFlip: direction is unknown.', got=repr(direction),
                              expected=f'some of {", ".join(frames.DIRECTIONS)}',
                              culprit=str(direction))
        if isinstance(prob, Sequence) and not isinstance(prob, str):
            probs = [check_probability(p, 'RandomFlip') for p in prob]
        else:
            prob = check_probability(prob, 'RandomFlip')
            probs = [prob / len(directions)] * len(directions)
        if len(probs) != len(directions) or sum(probs) > 1 + 1e-9:
            raise ConfigError('RandomFlip: prob does not fit direction.', got=repr(prob),
                              expected=f'{len(directions)} numbers with a sum of at most 1')
        self.prob, self.direction = prob, direction
        self.swap_seg_labels = swap_seg_labels
        self._choices = [*directions, None]
        self._probs = [*probs, max(0., 1 - sum(probs))]

    @cache_randomness
    def _choose_direction(self) -> str | None:
        return self._choices[np.random.choice(len(self._choices), p=self._probs)]

    def transform(self, results: dict) -> dict:
        direction = self._choose_direction()
        results['flip'] = direction is not None
        results['flip_direction'] = direction
        if direction is None:
            return results
        for key in ['img', *label_keys(results)]:
            results[key] = frames.flip(results[key], direction)
        if self.swap_seg_labels is not None and results.get('gt_seg_map') is not None:
            results['gt_seg_map'] = swap_labels(results['gt_seg_map'], self.swap_seg_labels)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, direction={self.direction!r})'
