"""Samples whose pixels say where they came from, as transforms are tried on.

Blocks of flat colour, whose middles keep their colour under any resampling, and a picture whose
pixels are their own place, as its labels are. H W pixels.
"""

import copy
import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np

COLOURS = np.array([[0, 0, 0], [60, 120, 200], [220, 30, 90], [120, 200, 10]], np.uint8)


def blocks() -> tuple[np.ndarray, np.ndarray]:
    """The image (64, 96, 3) that colours its label of 4 classes in blocks of 16."""
    numbers = np.random.default_rng(5).integers(0, 4, (4, 6))
    label = np.kron(numbers, np.ones((16, 16))).astype(np.uint8)
    return COLOURS[label], label


def places(height: int = 41, width: int = 57, number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Image (row * 4, column * 4, 60 * number) and uint16 label 256 + the pixel's own number."""
    rows, cols = np.mgrid[:height, :width]
    img = np.stack([rows * 4, cols * 4, np.full_like(rows, 60 * number)], -1).astype(np.uint8)
    return img, (256 + (number * height + rows) * width + cols).astype(np.uint16)


def sample(img: np.ndarray, label: np.ndarray, **more) -> dict:
    """A loaded sample with two label maps."""
    results = dict(img=img, gt_seg_map=label, gt_other=label.copy(), sample_idx=0,
                   seg_fields=['gt_seg_map', 'gt_other'], img_path='x.png', **more)
    results['img_shape'] = results['ori_shape'] = img.shape[:2]
    return results


def volume() -> dict:
    """Image (1, Z, Y, X) that holds each voxel's number, the label 256 + that."""
    shape = 7, 9, 11
    number = np.arange(np.prod(shape)).reshape(shape)
    return dict(img=number[None].astype(np.float32), gt_seg_map=(256 + number).astype(np.uint16),
                gt_other=(256 + number).astype(np.uint16), img_path='x.nii',
                seg_fields=['gt_seg_map', 'gt_other'])


def interior(label: np.ndarray) -> np.ndarray:
    """(H, W) bool: whose whole neighbourhood is of one class, so that resampling mixes nothing."""
    kernel = np.ones((9, 9), np.uint8)
    return cv2.erode(label, kernel) == cv2.dilate(label, kernel)


def away_from(label: np.ndarray, value: int) -> np.ndarray:
    """(H, W) bool: 3 pixels or more from those of ``value`` and from the edge."""
    return cv2.erode((label != value).astype(np.uint8), np.ones((5, 5), np.uint8),
                     borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def run(transform: Callable, results: dict, seed: int, others: Sequence[dict] = ()) -> dict:
    """The sample after ``transform``, with the draws of ``seed``; ``others`` are mixed in."""
    np.random.seed(seed)
    random.seed(seed)
    if hasattr(transform, 'get_indices'):
        others = others or [results] * 3
        results['mix_results'] = [copy.deepcopy(others[i])
                                  for i in transform.get_indices(others)]
    return transform(results)
