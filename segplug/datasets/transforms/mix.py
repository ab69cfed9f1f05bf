"""Parts of another labelled sample pasted over this one: ClassMix and CutMix.

Both are transforms of `MultiImageMixDataset`: `get_indices` says which other sample it puts into
``mix_results``. Images of different sizes share their upper left corner; what the other does not
cover stays.
"""

from collections.abc import Sized

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError, DataError
from ...registry import TRANSFORMS
from .fields import check_probability, label_keys


def partners(results: dict, count: int, owner: str) -> list[dict]:
    """The other samples that came with ``results``.

    Raises:
        ConfigError: There are not ``count`` of them.
        DataError: One has another number of channels.
    """
    others = results.get('mix_results', ())
    if len(others) != count:
        raise ConfigError(f'{owner} mixes a sample with {count} other(s), which did not come.',
                          got=f'{len(others)}', culprit=owner,
                          fix=f'put {owner} into the pipeline of MultiImageMixDataset, with the '
                              'data set and its own pipeline inside')
    for other in others:
        if other['img'].shape[2:] != results['img'].shape[2:]:
            raise DataError(f'{owner} mixes images of different channels.',
                            got=f'{results.get("img_path")} {results["img"].shape} and '
                                f'{other.get("img_path")} {other["img"].shape}')
    return list(others)


def label_of(sample: dict, key: str, owner: str) -> np.ndarray:
    """The label map ``key`` of a sample, or a DataError that names its image."""
    if sample.get(key) is None:
        raise DataError(f'{owner} mixes {sample.get("img_path")} in, which has no {key}.',
                        expected=f'{key} in every sample')
    return sample[key]


def pasted(target: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``target`` (H, W[, C]) with ``source`` where ``mask`` (h, w) bool holds; a new array.

    The mask starts at the upper left of both. The type is one that holds the values of both.
    """
    out = target.astype(np.result_type(target, source))
    window = tuple(map(slice, mask.shape))
    out[window][mask] = source[window][mask]
    return out


def common_shape(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """(H, W) of what both cover."""
    return tuple(min(a, b) for a, b in zip(one.shape[:2], other.shape[:2], strict=True))


class _Mix(BaseTransform):
    """What both share: one partner, drawn by the data set's length, and a mask of its pixels."""

    def get_indices(self, dataset: Sized) -> list[int]:
        """Which other sample to mix in; drawn whether it is used or not."""
        return [int(np.random.randint(0, len(dataset)))]

    def transform(self, results: dict) -> dict:
        name = type(self).__name__
        other, = partners(results, 1, name)
        sources = {key: label_of(other, key, name) for key in ['img', *label_keys(results)]}
        mask = self.draw_mask(results, other)
        if mask is not None and mask.any():
            for key, source in sources.items():
                results[key] = pasted(results[key], source, mask)
        return results


@TRANSFORMS.register_module()
class ClassMix(_Mix):
    """Paste the pixels of half of the other sample's classes (Olsson et al. 2021, arXiv
    2007.07936, section 3.1), drawn without weights; of an odd number the larger half.

    Args:
        prob: Probability.
        ignore_index: Label that is no class and is never pasted.
    """

    def __init__(self, prob: float = 0.5, ignore_index: int = 255) -> None:
        self.prob = check_probability(prob, 'ClassMix')
        self.ignore_index = ignore_index

    @cache_randomness
    def draw_mask(self, results: dict, other: dict) -> np.ndarray | None:
        """(h, w) bool: which pixels the other gives; None for none."""
        if np.random.rand() >= self.prob:
            return None
        shape = common_shape(results['img'], other['img'])
        label = label_of(other, 'gt_seg_map', 'ClassMix')[:shape[0], :shape[1]]
        classes = np.unique(label)
        classes = classes[classes != self.ignore_index]
        chosen = np.random.choice(classes, -(-len(classes) // 2), replace=False) \
            if len(classes) else classes
        return np.isin(label, chosen)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, ignore_index={self.ignore_index})'


@TRANSFORMS.register_module()
class CutMix(_Mix):
    """Paste a box of the other sample (Yun et al. 2019, arXiv 1905.04899, equation 2).

    Its share of the area is 1 - lambda, lambda from Beta(alpha, alpha), at the image's ratio of
    sides; its middle is anywhere, so that it may be cut at the border.

    Args:
        prob: Probability.
        alpha: Positive; 1 makes every share equally likely.
    """

    def __init__(self, prob: float = 0.5, alpha: float = 1.0) -> None:
        self.prob = check_probability(prob, 'CutMix')
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or alpha <= 0:
            raise ConfigError('CutMix: alpha must be a positive number.', got=repr(alpha))
        self.alpha = alpha

    @cache_randomness
    def draw_mask(self, results: dict, other: dict) -> np.ndarray | None:
        """(h, w) bool: which pixels the other gives; None for none."""
        if np.random.rand() >= self.prob:
            return None
        edge = np.sqrt(1 - np.random.beta(self.alpha, self.alpha))
        mask = np.zeros(common_shape(results['img'], other['img']), bool)
        window = []
        for length in mask.shape:
            size, middle = int(length * edge), np.random.randint(0, length)
            start = middle - size // 2
            window.append(slice(max(start, 0), max(start + size, 0)))
        mask[tuple(window)] = True
        return mask

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, alpha={self.alpha})'
