"""The confusion matrix: the one source of every score.

Counts are exact int64, computed without a float sum that could round, and every pixel whose
label is not ignored is counted; a value out of range is an error, never a dropped pixel.
On an accelerator counting waits for nothing: the counts that say whether all was in range are
part of what is counted, and whoever wants the matrix checks them when they have arrived.
Letters: K classes, H W pixels.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, ShapeError
from . import kernels

# cv2.calcHist returns float32, which counts exactly up to 2 ** 24; maps come in pieces below it.
_PIECE = 1 << 23


def confusion_matrix(pred, label, num_classes: int, ignore_index: int | None = 255):
    """Count label against prediction.

    Args:
        pred: (H, W) or any shape, integer class ids in [0, K); array or tensor.
        label: Same shape and kind, integer in [0, K) or ``ignore_index``.
        num_classes: K.
        ignore_index: Pixels with this label are not counted (their prediction is still
            checked). None ignores nothing.

    Returns:
        (K, K) int64, rows ground truth, columns prediction. An array for arrays, a tensor on
        the same device for tensors.

    Raises:
        DataError: A value is out of range.
        ShapeError: The shapes differ, or the values are not integers.
    """
    joint = joint_counts(pred, label, num_classes, ignore_index)
    check_range(joint, pred, label, ignore_index)
    return square(joint)


def joint_counts(pred, label, num_classes: int, ignore_index: int | None = 255):
    """The matrix of `confusion_matrix` and what it leaves out; waits for no accelerator.

    Returns:
        (K + 2, K + 1) int64, array or tensor as the maps are. Rows: label 0 to K - 1, ignored,
        out of range. Columns: prediction 0 to K - 1, out of range. Its sum is the number of
        pixels.

    Raises:
        ShapeError: As `confusion_matrix`.
    """
    is_tensor = isinstance(pred, Tensor)
    if is_tensor != isinstance(label, Tensor):
        raise ShapeError('Prediction and label must both be arrays or both be tensors.',
                         got=f'{type(pred).__name__} and {type(label).__name__}')
    if tuple(pred.shape) != tuple(label.shape):
        raise ShapeError('Prediction and label differ in shape.', expected='the same shape',
                         got=f'{tuple(pred.shape)} and {tuple(label.shape)}')
    for values in (pred, label):
        _check_integers(values)
    if is_tensor and pred.device.type != 'cpu':
        return _joint_device(pred, label, num_classes, ignore_index)
    pred, label = (x.numpy() if is_tensor else np.asarray(x) for x in (pred, label))
    joint = _joint_array(pred, label, num_classes, ignore_index)
    return torch.from_numpy(joint) if is_tensor else joint


def check_range(joint, pred, label, ignore_index: int | None = 255) -> None:
    """Raise DataError if `joint_counts` of these maps found a value out of range."""
    k = joint.shape[1] - 1
    if int(joint[k + 1].sum()):
        _raise_out_of_range('label', label, k, ignore_index)
    if int(joint[:, k].sum()):
        _raise_out_of_range('prediction', pred, k, None)


def check_prediction(pred: np.ndarray, num_classes: int) -> None:
    """Raise DataError unless every value of ``pred``, integers, lies in [0, K)."""
    if pred.size and (pred.max() >= num_classes or pred.min() < 0):
        _raise_out_of_range('prediction', pred, num_classes, None)


def square(joint):
    """(K + 2, K + 1) counts -> their (K, K) matrix, in memory of its own."""
    # A view would be summed wrongly by gloo, which reduces memory and does not look at strides.
    k = joint.shape[1] - 1
    part = joint[:k, :k]
    return part.contiguous() if isinstance(part, Tensor) else np.ascontiguousarray(part)


def _joint_array(pred: np.ndarray, label: np.ndarray, num_classes: int,
                 ignore_index: int | None) -> np.ndarray:
    if num_classes <= 256:
        narrow = _bytes(pred), _bytes(label)
        if narrow[0] is not None and narrow[1] is not None:
            return _fold(_joint_bytes(*narrow), num_classes, ignore_index)
    wide = (torch.from_numpy(np.ascontiguousarray(x)) for x in (pred, label))
    return _joint_device(*wide, num_classes, ignore_index).numpy()


def _bytes(values: np.ndarray) -> np.ndarray | None:
    """The values as uint8, or None where one does not fit.

    Two passes over memory, and still six times as fast as counting wide integers.
    """
    if values.dtype == np.uint8:
        return values
    if values.size and (values.min() < 0 or values.max() > 255):
        return None
    return values.astype(np.uint8)


def _joint_bytes(pred: np.ndarray, label: np.ndarray) -> np.ndarray:
    """(256, 256) int64 joint histogram of two uint8 maps."""
    pred, label = (np.ascontiguousarray(x).reshape(-1) for x in (pred, label))
    compiled = kernels.joint_histogram()
    if compiled is not None and pred.size < 1 << 32:
        return compiled(pred, label)
    joint = np.zeros((256, 256), np.int64)
    for start in range(0, len(pred), _PIECE):
        piece = [part[start:start + _PIECE].reshape(-1, 1) for part in (label, pred)]
        joint += cv2.calcHist(piece, [0, 1], None, [256, 256], [0, 256, 0, 256]).astype(np.int64)
    return joint


def _fold(joint: np.ndarray, num_classes: int, ignore_index: int | None) -> np.ndarray:
    """(256, 256) counts -> (K + 2, K + 1): row K ignored, row K + 1 and column K out of range."""
    k = num_classes
    joint = np.concatenate([joint[:, :k], joint[:, k:].sum(1, keepdims=True)], axis=1)
    ignored = np.zeros((1, k + 1), np.int64)
    if ignore_index is not None and 0 <= ignore_index < 256:
        ignored[0] = joint[ignore_index]
        joint[ignore_index] = 0
    return np.concatenate([joint[:k], ignored, joint[k:].sum(0, keepdims=True)])


def _joint_device(pred: Tensor, label: Tensor, num_classes: int,
                  ignore_index: int | None) -> Tensor:
    """(K + 2, K + 1) int64, as `_fold`, from integer tensors of any width on any device."""
    k = num_classes
    pred, label = pred.flatten().long(), label.flatten().long()
    column = torch.where((pred >= 0) & (pred < k), pred, k)
    row = torch.where((label >= 0) & (label < k), label, k + 1)
    if ignore_index is not None:
        row = torch.where(label == ignore_index, k, row)
    return _histogram(row * (k + 1) + column, (k + 2) * (k + 1)).view(k + 2, k + 1)


def _histogram(values: Tensor, bins: int) -> Tensor:
    """(bins,) int64: how often each of 0 to bins - 1 occurs in ``values``, which holds no other.

    On CUDA bincount reads the largest value back before it counts, histc does not; its bins are
    integers there, so nothing is rounded. Only bincount is allowed in deterministic mode.
    """
    if values.is_cuda and not torch.are_deterministic_algorithms_enabled():
        return torch.histc(values, bins, 0, bins)
    return torch.bincount(values, minlength=bins)


def _check_integers(values) -> None:
    if isinstance(values, Tensor):
        is_integer = not (values.is_floating_point() or values.is_complex())
    else:
        is_integer = np.asarray(values).dtype.kind in 'biu'
    if not is_integer:
        raise ShapeError('A label map must hold integers.', got=f'dtype {values.dtype}')


def _raise_out_of_range(what: str, values, num_classes: int, ignore_index: int | None):
    found = torch.as_tensor(values).long().unique().tolist()
    bad = [v for v in found if not 0 <= v < num_classes and v != ignore_index]
    ignored = '' if ignore_index is None else f', or {ignore_index} for ignored pixels'
    raise DataError(f'A {what} map holds values out of range.',
                    got=', '.join(str(v) for v in bad[:10]) + (' ...' if len(bad) > 10 else ''),
                    expected=f'0 to {num_classes - 1}{ignored}',
                    fix='check the number of classes, reduce_zero_label and ignore_index')
