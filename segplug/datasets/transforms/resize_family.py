"""Resizes to a multiple, by the shortest edge, to one of several scales; and of labels only.

Names, arguments and draws are mmsegmentation's and mmcv's; every label map follows, nearest.
"""

from collections.abc import Sequence

from mmcv import transforms as upstream
from mmcv.transforms import BaseTransform

from ...errors import ConfigError
from ...registry import TRANSFORMS
from .fields import as_list, as_size, label_keys, takes_frames
from .resize import _pair, resized


def next_multiple(shape: Sequence[int], divisor: tuple[int, int]) -> tuple[int, int]:
    """(W, H) of (H, W), each rounded up to a multiple of ``divisor`` (W, H)."""
    return -(-shape[1] // divisor[0]) * divisor[0], -(-shape[0] // divisor[1]) * divisor[1]


def shortest_edge_size(shape: Sequence[int], short: int, longest: int) -> tuple[int, int]:
    """(W, H) whose shorter edge is ``short``, less where the longer would exceed ``longest``."""
    height, width = shape[:2]
    scale = short / min(height, width)
    new = [scale * height, float(short)] if height >= width else [float(short), scale * width]
    if max(new) > longest:
        shrink = longest / max(new)
        new = [edge * shrink for edge in new]
    return max(int(new[1] + 0.5), 1), max(int(new[0] + 0.5), 1)


@TRANSFORMS.register_module()
class ResizeToMultiple(BaseTransform):
    """Stretch image and labels so that the edges are multiples. Sets img_shape and pad_shape.

    Args:
        size_divisor: Divisor of both edges, or (W, H).
        interpolation: Of the image; None is bilinear.
    """

    takes_frames = True

    def __init__(self, size_divisor: int | Sequence[int] = 32,
                 interpolation: str | None = None) -> None:
        self.size_divisor = as_size(size_divisor, 'ResizeToMultiple', 'size_divisor', 'W, H')
        self.interpolation = interpolation

    def transform(self, results: dict) -> dict:
        size = next_multiple(results['img'].shape, self.size_divisor)
        results['img'] = resized(results['img'], size, self.interpolation or 'bilinear')
        results['img_shape'] = results['pad_shape'] = results['img'].shape[:2]
        for key in label_keys(results):
            results[key] = resized(results[key], size, 'nearest')
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(size_divisor={self.size_divisor}, '
                f'interpolation={self.interpolation!r})')


@TRANSFORMS.register_module()
class ResizeShortestEdge(BaseTransform):
    """Resize to a length of the shorter edge, keeping the ratio (detectron2's rule).

    Sets what `Resize` sets, which does the work.

    Args:
        scale: Length of the shorter edge; of several, the least.
        max_size: Largest length of the longer edge.
    """

    takes_frames = True

    def __init__(self, scale: int | Sequence[int], max_size: int) -> None:
        lengths = [scale] if isinstance(scale, int) else \
            as_list(scale, 'ResizeShortestEdge', 'scale')
        for edge in (*lengths, max_size):
            as_size(edge, 'ResizeShortestEdge', 'scale or max_size', 'edge')
        self.scale, self.max_size = scale, max_size
        self.resize = TRANSFORMS.build(dict(type='Resize', scale=1, keep_ratio=True))

    def transform(self, results: dict) -> dict:
        # RandomChoiceResize draws a scale and sets it here.
        short = self.scale if isinstance(self.scale, int) else min(self.scale)
        self.resize.scale = shortest_edge_size(results['img'].shape, short, self.max_size)
        return self.resize(results)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(scale={self.scale}, max_size={self.max_size})'


@TRANSFORMS.register_module()
class SegRescale(BaseTransform):
    """Resize the label maps only, nearest: for a head whose output is smaller than its input.

    Args:
        scale_factor: Factor of both edges.
    """

    def __init__(self, scale_factor: float = 1) -> None:
        if isinstance(scale_factor, bool) or not isinstance(scale_factor, int | float) \
                or scale_factor <= 0:
            raise ConfigError('SegRescale: scale_factor must be a positive number.',
                              got=repr(scale_factor))
        self.scale_factor = scale_factor

    def transform(self, results: dict) -> dict:
        for key in label_keys(results):
            height, width = results[key].shape[:2]
            size = [max(int(edge * float(self.scale_factor) + 0.5), 1) for edge in (width, height)]
            if self.scale_factor != 1:
                results[key] = resized(results[key], tuple(size), 'nearest')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(scale_factor={self.scale_factor})'


@TRANSFORMS.register_module()
class RandomChoiceResize(upstream.RandomChoiceResize):
    """Resize to one of several scales; the draw is mmcv's. Sets scale_idx besides.

    Args:
        scales: Sizes (W, H), or numbers for both edges.
        resize_type: The transform that resizes, with an attribute ``scale``.
        resize_kwargs: Its arguments (checked there).
    """

    def __init__(self, scales: Sequence[int | Sequence[int]], resize_type: str = 'Resize',
                 **resize_kwargs) -> None:
        if isinstance(scales, int):
            scales = [scales]
        self.scales = [_pair(s, 'scales') for s in as_list(scales, 'RandomChoiceResize', 'scales')]
        self.resize_cfg = dict(type=resize_type, **resize_kwargs)
        # The draw sets the true scale; ours, where no default scope says whose Resize is meant.
        self.resize = TRANSFORMS.build({'scale': 1, **self.resize_cfg})

    @property
    def takes_frames(self) -> bool:
        return takes_frames(self.resize)
