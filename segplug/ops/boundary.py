"""Boundary IoU: intersection over union of what lies near each mask's contour.

Cheng, Girshick, Dollár, Berg, Kirillov: Boundary IoU, CVPR 2021 (arXiv 2103.16562), equation 2.
A mask's boundary is the mask minus its erosion by a square of side 2d + 1, all outside the image
counting as background. That is the same as: somewhere in the square around the pixel lies another
class. So one sliding minimum and one maximum of the label map give the boundaries of all classes.
Letters: K classes, H W pixels, d width of the boundary.
"""

import cv2
import numpy as np

from ..errors import ConfigError, ShapeError
from .confusion import confusion_matrix


def boundary_width(shape: tuple[int, int], dilation_ratio: float = 0.02) -> int:
    """d in pixels for an image of (H, W): the ratio times the diagonal, rounded, at least 1."""
    return max(1, round(dilation_ratio * float(np.hypot(*shape))))


def check_dilation_ratio(dilation_ratio: float) -> None:
    """Raise ConfigError unless the ratio is a positive finite number."""
    if not (isinstance(dilation_ratio, (int, float)) and 0 < dilation_ratio < np.inf):
        raise ConfigError('dilation_ratio is not a share of the image diagonal.',
                          got=dilation_ratio, expected='a number above 0, 0.02 as a rule',
                          culprit='dilation_ratio')


def boundary_mask(labels: np.ndarray, width: int, ignored: np.ndarray | None = None) -> np.ndarray:
    """Where each pixel lies within ``width`` of the contour of its own class.

    A pixel is there when the square of side 2 ``width`` + 1 around it leaves the image or holds a
    pixel of another class. Ignored pixels are of no class: they are never in a boundary, and they
    are no contour for their neighbours, since where the class ends below them is not known.

    Args:
        labels: (H, W) uint8 or uint16 class ids; any value where ignored.
        width: d, at least 1.
        ignored: (H, W) bool, or None.

    Returns:
        (H, W) bool.
    """
    height, breadth = labels.shape
    inside = np.zeros((height, breadth), bool)
    rows, columns = slice(width, height - width), slice(width, breadth - width)
    if min(height, breadth) > 2 * width:
        low, high = labels, labels
        if ignored is not None:
            # All ones never is the least, 0 never the greatest: only classes are compared.
            ones = ignored.astype(labels.dtype) * np.iinfo(labels.dtype).max
            low, high = labels | ones, labels & ~ones
        square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * width + 1, 2 * width + 1))
        inside[rows, columns] = (cv2.erode(low, square) == cv2.dilate(high, square))[rows, columns]
    return ~inside if ignored is None else ~(inside | ignored)


def boundary_counts(pred: np.ndarray, label: np.ndarray, num_classes: int,
                    ignore_index: int | None = 255, dilation_ratio: float = 0.02) -> np.ndarray:
    """Boundary pixels of one image, counted per class.

    Pixels whose label is ignored leave prediction and label alike, before any contour is drawn:
    what is predicted there changes nothing.

    Args:
        pred: (H, W) integer class ids in [0, K).
        label: (H, W) integer in [0, K) or ``ignore_index``.
        num_classes: K.
        ignore_index: Label value that is not scored; None ignores nothing.
        dilation_ratio: d as a share of the image diagonal.

    Returns:
        (2, K) int64: intersections and unions of the two boundaries.

    Raises:
        DataError: A value is out of range.
        ShapeError: The shapes differ, are not (H, W), or the values are not integers.
    """
    if label.ndim != 2:
        raise ShapeError('A boundary needs a map of one image.', got=f'shape {label.shape}',
                         expected='(H, W)')
    ignored = None if ignore_index is None else label == ignore_index
    if not (_fits(pred, label.shape, num_classes)
            and _fits(label, pred.shape, num_classes, ignored)):
        confusion_matrix(pred, label, num_classes, ignore_index)  # says which and raises
    dtype = np.uint8 if num_classes < 256 else np.uint16
    width = boundary_width(label.shape, dilation_ratio)
    near_pred, near_label = (
        np.where(boundary_mask(x, width, ignored), x, dtype(num_classes))
        for x in (pred.astype(dtype, copy=False), label.astype(dtype, copy=False)))
    # Class K stands for everything away from a boundary.
    matrix = confusion_matrix(near_pred, near_label, num_classes + 1, None)
    shared = np.diagonal(matrix)
    return np.stack([shared, matrix.sum(0) + matrix.sum(1) - shared])[:, :num_classes]


def _fits(values: np.ndarray, shape: tuple, num_classes: int,
          ignored: np.ndarray | None = None) -> bool:
    """Whether a map has this shape and holds integers in [0, K), or ignored ones."""
    if values.shape != shape or values.dtype.kind not in 'iu':
        return False
    right = values < num_classes
    if values.dtype.kind == 'i':
        right &= values >= 0
    return bool((right if ignored is None else right | ignored).all())
