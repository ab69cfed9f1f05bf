"""Places in a volume: crop, pad and mirror of biomedical images.

mmsegmentation's names, arguments and draws. Image (N, Z, Y, X) float, N modalities, and label
(Z, Y, X); every label map of the sample follows.
"""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from ...errors import ConfigError, ShapeError
from ...registry import TRANSFORMS
from .fields import as_list, as_size, check_probability, label_keys


def check_volume(img: np.ndarray, owner: str) -> None:
    """ShapeError unless ``img`` has four axes."""
    if img.ndim != 4:
        raise ShapeError(f'{owner} works on volumes.', got=f'{img.shape}',
                         expected='(N, Z, Y, X)', fix='load it with LoadBiomedicalImageFromFile')


@TRANSFORMS.register_module()
class BioMedical3DRandomCrop(BaseTransform):
    """Cut image and labels to a box. Sets img_shape, (Z, Y, X).

    mmsegmentation's draws a voxel of the foreground and then moves the box away from it by
    chance, so that often no foreground is kept; here the voxel is in the middle of the box, or as
    near as the border allows.

    Args:
        crop_shape: (Z, Y, X), or one number for all; an edge that is shorter stays.
        keep_foreground: Draw a class other than 0, then one of its voxels. Where there is none,
            or no label, the place is uniform.
        ignore_index: Label that is no class.
    """

    def __init__(self, crop_shape: int | Sequence[int], keep_foreground: bool = True, *,
                 ignore_index: int = 255) -> None:
        self.crop_shape = as_size(crop_shape, 'BioMedical3DRandomCrop', 'crop_shape', 'Z, Y, X')
        self.keep_foreground = keep_foreground
        self.ignore_index = ignore_index

    def _foreground(self, label: np.ndarray) -> np.ndarray | None:
        """(3,) int, a voxel; two draws."""
        classes = np.setdiff1d(label, (0, self.ignore_index))
        if not len(classes):
            return None
        places = np.flatnonzero(label == np.random.choice(classes))
        return np.array(np.unravel_index(np.random.choice(places), label.shape))

    @cache_randomness
    def crop_box(self, results: dict) -> tuple[slice, ...]:
        """The (planes, rows, columns) to keep."""
        margin = [max(have - want, 0) for have, want in
                  zip(results['img'].shape[1:], self.crop_shape, strict=True)]
        label, voxel = results.get('gt_seg_map'), None
        if self.keep_foreground and label is not None:
            voxel = self._foreground(label)
        if voxel is None:
            start = [np.random.randint(0, m + 1) for m in margin]
        else:
            start = np.clip(voxel - np.array(self.crop_shape) // 2, 0, margin)
        return tuple(slice(int(s), int(s) + c) for s, c in
                     zip(start, self.crop_shape, strict=True))

    def transform(self, results: dict) -> dict:
        check_volume(results['img'], 'BioMedical3DRandomCrop')
        box = self.crop_box(results)
        results['img'] = np.ascontiguousarray(results['img'][(slice(None), *box)])
        for key in label_keys(results):
            results[key] = np.ascontiguousarray(results[key][box])
        results['img_shape'] = results['img'].shape[1:]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(crop_shape={self.crop_shape}, '
                f'keep_foreground={self.keep_foreground}, ignore_index={self.ignore_index})')


@TRANSFORMS.register_module()
class BioMedical3DPad(BaseTransform):
    """Pad image and labels evenly at both ends of each axis. Sets pad_shape and img_shape.

    mmsegmentation's measures the X axis by the Y axis and leaves an empty label.

    Args:
        pad_shape: (Z, Y, X); an edge that is longer already stays.
        pad_val: Value of the new voxels.
        seg_pad_val: Label of them.
    """

    def __init__(self, pad_shape: Sequence[int], pad_val: float = 0.,
                 seg_pad_val: int = 0) -> None:
        self.pad_shape = as_size(tuple(as_list(pad_shape, 'BioMedical3DPad', 'pad_shape')),
                                 'BioMedical3DPad', 'pad_shape', 'Z, Y, X')
        self.pad_val, self.seg_pad_val = pad_val, seg_pad_val

    def transform(self, results: dict) -> dict:
        img = results['img']
        check_volume(img, 'BioMedical3DPad')
        rest = [max(want - have, 0) for want, have in
                zip(self.pad_shape, img.shape[1:], strict=True)]
        widths = [(r // 2, r - r // 2) for r in rest]
        results['img'] = np.pad(img, [(0, 0), *widths], constant_values=self.pad_val)
        for key in label_keys(results):
            results[key] = np.pad(results[key], widths, constant_values=self.seg_pad_val)
        results['img_shape'] = results['pad_shape'] = results['img'].shape[1:]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(pad_shape={self.pad_shape}, pad_val={self.pad_val}, '
                f'seg_pad_val={self.seg_pad_val})')


@TRANSFORMS.register_module()
class BioMedical3DRandomFlip(BaseTransform):
    """Mirror image and labels, each axis on its own. Sets do_flip and flip_axes.

    A ``do_flip`` that the sample brings is taken instead of a draw. mmsegmentation's turns the
    loaded arrays themselves over, drops label axes of length 1, and exchanges the labels of
    samples that are not mirrored too.

    Args:
        prob: Probability of each axis.
        axes: Which of 0 (Z), 1 (Y), 2 (X) may be mirrored.
        swap_label_pairs: Pairs of label values to exchange where an axis is mirrored.
    """

    def __init__(self, prob: float, axes: Sequence[int],
                 swap_label_pairs: Sequence[Sequence[int]] | None = None) -> None:
        self.prob = check_probability(prob, 'BioMedical3DRandomFlip')
        self.axes = None if axes is None else tuple(axes)
        if not set(self.axes or ()) <= {0, 1, 2}:
            raise ConfigError('BioMedical3DRandomFlip: axes are unknown.', got=repr(axes),
                              expected='some of 0, 1, 2')
        self.swap_label_pairs = swap_label_pairs

    @cache_randomness
    def _draw(self) -> tuple[bool, ...]:
        """Whether to mirror each of the three axes; a draw for each that is in axes."""
        return tuple(axis in (self.axes or ()) and bool(np.random.rand() < self.prob)
                     for axis in range(3))

    def transform(self, results: dict) -> dict:
        check_volume(results['img'], 'BioMedical3DRandomFlip')
        results.setdefault('flip_axes', self.axes)
        if 'do_flip' not in results:
            results['do_flip'] = self._draw()
        axes = [axis for axis in range(3) if results['do_flip'][axis]]
        if not axes:
            return results
        results['img'] = np.flip(results['img'], [a + 1 for a in axes]).copy()
        for key in label_keys(results):
            results[key] = self._swapped(np.flip(results[key], axes).copy())
        return results

    def _swapped(self, label: np.ndarray) -> np.ndarray:
        out = label.copy()
        for one, other in self.swap_label_pairs or ():
            out[label == one], out[label == other] = other, one
        return out

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, axes={self.axes}, '
                f'swap_label_pairs={self.swap_label_pairs})')
