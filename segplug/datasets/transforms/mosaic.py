"""Four images around one point (YOLOv4, Bochkovskiy et al. 2020, arXiv 2004.10934)."""

from collections.abc import Sequence, Sized

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError
from ...registry import TRANSFORMS
from .fields import as_range, as_size, check_probability, label_keys
from .mix import label_of, partners
from .resize import resized


def part(index: int, centre: tuple[int, int], size: tuple[int, int], full: tuple[int, int]
         ) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where picture ``index`` lies in the mosaic, and which part of the picture that is.

    Args:
        index: 0 upper left, 1 upper right, 2 lower left, 3 lower right.
        centre: (row, column) of the corner that the four share.
        size: (H, W) of the picture; it touches the centre and is cut at the mosaic's edge.
        full: (H, W) of the mosaic.
    """
    place, cut = [], []
    for axis, is_after in enumerate((index >= 2, index % 2 == 1)):
        if is_after:
            length = min(size[axis], full[axis] - centre[axis])
            place.append(slice(centre[axis], centre[axis] + length))
            cut.append(slice(0, length))
        else:
            length = min(size[axis], centre[axis])
            place.append(slice(centre[axis] - length, centre[axis]))
            cut.append(slice(size[axis] - length, size[axis]))
    return tuple(place), tuple(cut)


def mosaic(pictures: Sequence[np.ndarray], size: tuple[int, int], centre: tuple[int, int],
           value: float, interpolation: str) -> np.ndarray:
    """Four arrays (H, W[, C]), each fitted into ``size`` (H, W), in one of twice that size.

    The type is one that holds the values of all four.
    """
    full = size[0] * 2, size[1] * 2
    out = np.full((*full, *pictures[0].shape[2:]), value, np.result_type(*pictures))
    for i, picture in enumerate(pictures):
        ratio = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
        height, width = (max(int(edge * ratio), 1) for edge in picture.shape[:2])
        place, cut = part(i, centre, (height, width), full)
        out[place] = resized(picture, (width, height), interpolation)[cut]
    return out


@TRANSFORMS.register_module()
class RandomMosaic(BaseTransform):
    """The sample and three others of the data set around one point; see `mosaic`.

    A transform of `MultiImageMixDataset`, which puts the others into ``mix_results``. Sets
    img_shape and ori_shape, which are (H, W) here and (H, W, C) in mmsegmentation.

    Args:
        prob: Probability.
        img_scale: (H, W) that each image is fitted into; the result is twice that.
        center_ratio_range: (low, high) of where the point lies, in units of ``img_scale``.
        pad_val: Value of what no image covers.
        seg_pad_val: Label of it.

    Raises:
        ConfigError: The sample comes without others: RandomMosaic stands in another pipeline.
        DataError: Another sample lacks a label map of this one, or has other channels.
    """

    def __init__(self, prob: float, img_scale: Sequence[int] = (640, 640),
                 center_ratio_range: Sequence[float] = (0.5, 1.5), pad_val: float = 0,
                 seg_pad_val: int = 255) -> None:
        self.prob = check_probability(prob, 'RandomMosaic')
        self.img_scale = as_size(img_scale, 'RandomMosaic', 'img_scale')
        self.center_ratio_range = as_range(center_ratio_range, 'RandomMosaic',
                                           'center_ratio_range')
        if self.center_ratio_range[0] < 0 or self.center_ratio_range[1] > 2:
            raise ConfigError('RandomMosaic: center_ratio_range leaves the mosaic.',
                              got=f'{center_ratio_range}', expected='within (0, 2)')
        self.pad_val, self.seg_pad_val = pad_val, seg_pad_val

    def get_indices(self, dataset: Sized) -> list[int]:
        """Which three others to mix in; drawn whether there is a mosaic or not."""
        return [int(np.random.randint(0, len(dataset))) for _ in range(3)]

    @cache_randomness
    def _draw(self) -> tuple[int, int] | None:
        """(row, column) of the point, in mmsegmentation's order of draws."""
        if np.random.rand() >= self.prob:
            return None
        column = int(np.random.uniform(*self.center_ratio_range) * self.img_scale[1])
        return int(np.random.uniform(*self.center_ratio_range) * self.img_scale[0]), column

    def transform(self, results: dict) -> dict:
        samples = [results, *partners(results, 3, 'RandomMosaic')]
        pictures = {key: [label_of(s, key, 'RandomMosaic') for s in samples]
                    for key in ['img', *label_keys(results)]}
        centre = self._draw()
        if centre is None:
            return results
        for key, four in pictures.items():
            value, how = (self.pad_val, 'bilinear') if key == 'img' else \
                (self.seg_pad_val, 'nearest')
            results[key] = mosaic(four, self.img_scale, centre, value, how)
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, img_scale={self.img_scale}, '
                f'center_ratio_range={self.center_ratio_range}, pad_val={self.pad_val}, '
                f'seg_pad_val={self.seg_pad_val})')
