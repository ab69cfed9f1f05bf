"""A strip of the image replaced by its depth (Kim et al. 2022, arXiv 2201.07436)."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import DataError
from ...registry import TRANSFORMS
from .fields import check_probability


@TRANSFORMS.register_module()
class RandomDepthMix(BaseTransform):
    """Copy ``gt_depth_map`` over the image in a vertical strip, into every channel.

    The depth is divided by ``depth_rescale_factor`` of the sample and, for an integer image,
    rounded down. mmsegmentation's writes into the loaded array and lets values above the image's
    range start again at 0; here the array is copied and the values end at the range.

    Args:
        prob: Probability.
        mix_scale_ratio: Largest share of what is right of the strip's left edge.

    Raises:
        DataError: The sample has no depth of the image's size.
    """

    def __init__(self, prob: float = 0.25, mix_scale_ratio: float = 0.75) -> None:
        self.prob = check_probability(prob, 'RandomDepthMix')
        self.mix_scale_ratio = mix_scale_ratio

    @cache_randomness
    def _draw(self, width: int) -> slice | None:
        """The columns; mmsegmentation's draws."""
        if np.random.random() > self.prob:
            return None
        left = int(width * np.random.random())
        share = self.mix_scale_ratio * np.random.random()
        return slice(left, left + int(max(1, (width - left) * share)))

    def transform(self, results: dict) -> dict:
        img, depth = results['img'], results.get('gt_depth_map')
        if depth is None or depth.shape != img.shape[:2]:
            raise DataError('RandomDepthMix needs a depth for each pixel.',
                            got='none' if depth is None else f'gt_depth_map {depth.shape}',
                            expected=f'{img.shape[:2]}', fix='load it before: LoadDepthAnnotation')
        strip = self._draw(img.shape[1])
        if strip is None:
            return results
        values = depth[:, strip] / results.get('depth_rescale_factor', 1)
        if img.dtype.kind in 'ui':
            values = values.clip(0, np.iinfo(img.dtype).max)
        img = img.copy()
        img[:, strip] = values if img.ndim == 2 else values[..., None]
        results['img'] = img
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, mix_scale_ratio={self.mix_scale_ratio})'
