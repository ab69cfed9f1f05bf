"""The confusion matrix: the one source of every score.

Counts are exact int64, computed without a float sum that could round, and every pixel whose
label is not ignored is counted; a value out of range is an error, never a dropped pixel.
Letters: K classes, H W pixels.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, ShapeError

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
    is_tensor = isinstance(pred, Tensor)
    if is_tensor != isinstance(label, Tensor):
        raise ShapeError('Prediction and label must both be arrays or both be tensors.',
                         got=f'{type(pred).__name__} and {type(label).__name__}')
    if tuple(pred.shape) != tuple(label.shape):
        raise ShapeError('Prediction and label differ in shape.', expected='the same shape',
                         got=f'{tuple(pred.shape)} and {tuple(label.shape)}')
    if is_tensor and pred.device.type != 'cpu':
        joint = _joint_device(_integers(pred), _integers(label), num_classes, ignore_index)
        return _checked(joint, pred, label, num_classes, ignore_index)
    pred_map, label_map = (x.numpy() if is_tensor else np.asarray(x) for x in (pred, label))
    matrix = _confusion_array(pred_map, label_map, num_classes, ignore_index)
    return torch.from_numpy(matrix) if is_tensor else matrix


def _confusion_array(pred: np.ndarray, label: np.ndarray, num_classes: int,
                     ignore_index: int | None) -> np.ndarray:
    if pred.dtype == label.dtype == np.uint8 and num_classes <= 256:
        joint = _fold(_joint_bytes(pred, label), num_classes, ignore_index)
    else:
        joint = _joint_device(*(_integers(torch.from_numpy(np.ascontiguousarray(x)))
                                for x in (pred, label)), num_classes, ignore_index).numpy()
    return _checked(joint, pred, label, num_classes, ignore_index)


def _joint_bytes(pred: np.ndarray, label: np.ndarray) -> np.ndarray:
    """(256, 256) int64 joint histogram of two uint8 maps."""
    joint = np.zeros((256, 256), np.int64)
    pred, label = (np.ascontiguousarray(x).reshape(-1, 1) for x in (pred, label))
    for start in range(0, len(pred), _PIECE):
        piece = [label[start:start + _PIECE], pred[start:start + _PIECE]]
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
    return torch.bincount(row * (k + 1) + column, minlength=(k + 2) * (k + 1)).view(k + 2, k + 1)


def _integers(x: Tensor) -> Tensor:
    if x.is_floating_point() or x.is_complex():
        raise ShapeError('A label map must hold integers.', got=f'dtype {x.dtype}')
    return x


def _checked(joint, pred, label, num_classes: int, ignore_index: int | None):
    """The (K, K) part of (K + 2, K + 1) counts, once nothing lies out of range."""
    k = num_classes
    if int(joint[k + 1].sum()):
        _raise_out_of_range('label', label, k, ignore_index)
    if int(joint[:, k].sum()):
        _raise_out_of_range('prediction', pred, k, None)
    # A view would be summed wrongly by gloo, which reduces memory and does not look at strides.
    square = joint[:k, :k]
    return square.contiguous() if isinstance(square, Tensor) else np.ascontiguousarray(square)


def _raise_out_of_range(what: str, values, num_classes: int, ignore_index: int | None):
    found = torch.as_tensor(values).long().unique().tolist()
    bad = [v for v in found if not 0 <= v < num_classes and v != ignore_index]
    ignored = '' if ignore_index is None else f', or {ignore_index} for ignored pixels'
    raise DataError(f'A {what} map holds values out of range.',
                    got=', '.join(str(v) for v in bad[:10]) + (' ...' if len(bad) > 10 else ''),
                    expected=f'0 to {num_classes - 1}{ignored}',
                    fix='check the number of classes, reduce_zero_label and ignore_index')
