"""The confusion matrix against hand counts and against a plain loop."""

import importlib.util

import numpy as np
import pytest
import torch

from segplug.errors import DataError, ShapeError
from segplug.ops import confusion
from segplug.ops.confusion import (
    check_prediction,
    check_range,
    confusion_matrix,
    joint_counts,
    square,
)

LABEL = np.array([[0, 0, 1], [1, 2, 255]], np.uint8)
PRED = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
# rows ground truth: class 0 -> one 0, one 1; class 1 -> two 1; class 2 -> one 0; 255 left out
EXPECTED = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernels(request, monkeypatch):
    """Every test runs with the compiled histogram and with OpenCV's."""
    if request.param == 'compiled' and importlib.util.find_spec('numba') is None:
        pytest.skip('numba, which compiles the kernels, is not installed')
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')


def _slow(pred, label, k, ignore):
    matrix = np.zeros((k, k), np.int64)
    for p, t in zip(pred.ravel().tolist(), label.ravel().tolist(), strict=True):
        if t != ignore:
            matrix[t, p] += 1
    return matrix


@pytest.mark.parametrize('dtype', [np.uint8, np.int32, np.int64])
def test_hand_counted(dtype):
    matrix = confusion_matrix(PRED.astype(dtype), LABEL.astype(dtype), 3, 255)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == EXPECTED


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64])
def test_tensors_stay_tensors(dtype):
    matrix = confusion_matrix(torch.from_numpy(PRED).to(dtype), torch.from_numpy(LABEL), 3, 255)
    assert matrix.dtype == torch.int64
    assert matrix.tolist() == EXPECTED


@pytest.mark.parametrize(('k', 'ignore'), [(19, 255), (256, None), (5, 0), (7, 3), (300, -1)])
def test_equals_a_plain_loop(k, ignore):
    rng = np.random.default_rng(k)
    dtype = np.uint8 if k <= 256 else np.int32
    label, pred = rng.integers(0, k, (2, 61, 47)).astype(dtype)
    if ignore is not None:
        label[rng.random(label.shape) < 0.2] = ignore
    assert np.array_equal(confusion_matrix(pred, label, k, ignore), _slow(pred, label, k, ignore))


@pytest.mark.parametrize('length', [0, 1, 7, 8, 9, 64, 1003])
def test_even_stretches_of_any_length(length):
    """Eight alike pixels are counted at once, and what is left one by one."""
    rng = np.random.default_rng(length)
    label, pred = (np.repeat(rng.integers(0, 4, length), 13)[:length].astype(np.uint8)
                   for _ in range(2))
    pred[rng.random(length) < 0.1] = 3
    assert np.array_equal(confusion_matrix(pred, label, 4), _slow(pred, label, 4, 255))


@pytest.mark.gpu
def test_on_an_accelerator():
    matrix = confusion_matrix(torch.from_numpy(PRED).cuda(), torch.from_numpy(LABEL).cuda(), 3)
    assert matrix.is_cuda
    assert matrix.tolist() == EXPECTED


def test_more_pixels_than_float32_counts():
    """float32 cannot hold 2 ** 24 + 1; the counts are exact all the same."""
    label = np.zeros((1 << 24) + 1, np.uint8)
    assert confusion_matrix(label, label, 2)[0, 0] == (1 << 24) + 1


def test_pieces_add_up(monkeypatch):
    monkeypatch.setattr(confusion, '_PIECE', 4)
    assert confusion_matrix(PRED, LABEL, 3).tolist() == EXPECTED


def test_non_contiguous_maps():
    assert confusion_matrix(PRED.T, LABEL.T, 3).tolist() == EXPECTED
    assert confusion_matrix(PRED[:, ::-1], LABEL[:, ::-1], 3).tolist() == EXPECTED


@pytest.mark.parametrize('convert', [np.uint8, np.int64, torch.from_numpy])
def test_a_label_out_of_range_is_named(convert):
    label = LABEL.copy()
    label[1, 1] = 7
    with pytest.raises(DataError, match=r'label map.*Got: 7\. Expected: 0 to 2, or 255') as error:
        confusion_matrix(convert(PRED), convert(label), 3)
    assert 'reduce_zero_label' in str(error.value)


@pytest.mark.parametrize('value', [3, 255])
def test_a_prediction_out_of_range_is_named_even_where_the_label_is_ignored(value):
    pred = PRED.copy()
    pred[1, 2] = value  # its label is 255
    with pytest.raises(DataError, match=rf'prediction map.*Got: {value}\. Expected: 0 to 2\.'):
        confusion_matrix(pred, LABEL, 3)


def test_negative_values_are_out_of_range():
    with pytest.raises(DataError, match='Got: -1'):
        confusion_matrix(PRED.astype(int) - 1, LABEL, 3)


def test_shapes_and_kinds():
    with pytest.raises(ShapeError, match=r'\(2, 3\) and \(3, 2\)'):
        confusion_matrix(PRED, LABEL.T, 3)
    with pytest.raises(ShapeError, match='both'):
        confusion_matrix(torch.from_numpy(PRED), LABEL, 3)
    with pytest.raises(ShapeError, match='float64'):
        confusion_matrix(PRED.astype(float), LABEL, 3)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64])
def test_the_matrix_owns_its_memory_so_that_processes_can_sum_it(dtype):
    maps = torch.zeros(4, 4, dtype=dtype)
    assert confusion_matrix(maps, maps, 3).is_contiguous()
    assert confusion_matrix(maps.numpy(), maps.numpy(), 3).flags['C_CONTIGUOUS']


@pytest.mark.parametrize('convert', [np.uint8, np.int16, np.int64, np.uint16])
def test_joint_counts_by_hand(convert):
    pred, label = PRED.copy(), LABEL.copy()
    pred[0, 0], label[0, 1] = 3, 9  # out of range: a prediction where the label is 0, a label
    joint = joint_counts(convert(pred), convert(label), 3, 255)
    # rows: labels 0, 1, 2, ignored, out of range; columns: predictions 0, 1, 2, out of range
    assert joint.tolist() == [[0, 0, 0, 1], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0],
                              [0, 1, 0, 0]]
    assert joint.sum() == PRED.size
    assert square(joint).tolist() == [[0, 0, 0], [0, 2, 0], [1, 0, 0]]
    with pytest.raises(DataError, match=r'label map.*Got: 9\.'):
        check_range(joint, pred, label, 255)


@pytest.mark.parametrize(('k', 'ignore', 'top'), [
    (3, 255, 256), (1, 255, 2), (256, None, 256), (256, -1, 300), (300, 299, 400), (5, 1000, 9)])
def test_narrow_and_wide_values_are_counted_alike(k, ignore, top):
    """The plain tensor code, which an accelerator runs, is the oracle of the byte-wise one."""
    rng = np.random.default_rng(k)
    label, pred = rng.integers(0, top, (2, 40, 31))
    if ignore is not None:
        label[:5] = ignore
    expected = confusion._joint_device(*map(torch.from_numpy, (pred, label)), k, ignore)
    for dtype in (np.int64, np.int32, np.uint16):
        if ignore is None or ignore >= 0 or dtype != np.uint16:
            assert np.array_equal(joint_counts(pred.astype(dtype), label, k, ignore), expected)
    if top <= 256 and (ignore is None or ignore <= 255):
        assert np.array_equal(joint_counts(np.uint8(pred), np.uint8(label), k, ignore), expected)
        assert np.array_equal(joint_counts(pred, np.uint8(label), k, ignore), expected)


def test_bytes_do_not_wrap():
    wide = np.array([[256, 0]])
    for values in (wide, -wide):
        with pytest.raises(DataError, match=f'prediction map.*Got: {values[0, 0]}'):
            confusion_matrix(values, np.zeros((1, 2), np.uint8), 3)


def test_empty_and_one_pixel_maps():
    assert confusion_matrix(np.zeros((0, 5), int), np.zeros((0, 5), int), 2).sum() == 0
    assert confusion_matrix(np.zeros(1, int), np.zeros(1, bool), 1).tolist() == [[1]]


def test_check_prediction():
    check_prediction(PRED, 3)
    check_prediction(PRED[:0], 3)
    for values, name in ((PRED, '2'), (PRED.astype(int) - 1, '-1')):
        with pytest.raises(DataError, match=f'prediction map.*Got: {name}'):
            check_prediction(values, 2)
