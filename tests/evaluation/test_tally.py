"""Counts on the CPU, at once, and as an accelerator has them: some images later."""

import numpy as np
import pytest
import torch

from segplug.errors import DataError, ShapeError
from segplug.evaluation import tally as module
from segplug.evaluation.tally import IN_FLIGHT, Tally
from segplug.ops import confusion
from segplug.ops.confusion import confusion_matrix

FINE, NAN = torch.tensor(True), torch.tensor(False)


@pytest.fixture(params=['at once', 'later'])
def lag(request, monkeypatch):
    """How many images stand in the queue; the second case takes an accelerator's way."""
    if request.param == 'at once':
        return 0
    monkeypatch.setattr(module, '_can_wait', lambda pred: True)
    monkeypatch.setattr(
        module, 'joint_counts', lambda pred, label, *rest: confusion._joint_device(
            pred, label, *rest))
    return IN_FLIGHT


def maps(seed):
    rng = np.random.default_rng(seed)
    pred, label = torch.from_numpy(rng.integers(0, 3, (2, 5 + seed, 7), dtype=np.uint8))
    label[0] = 255
    return pred, label


def add_two(tally, first, second):
    """Errors of the first come with it, or not before the end."""
    tally.add(*first)
    assert tally._queue
    tally.add(*second)
    tally.settle()


def test_rows_come_in_order_and_the_matrix_is_their_sum(lag):
    tally, count, rows = Tally(3, 255), 7, []
    for i in range(count):
        rows += tally.add(i, f'{i}.png', *maps(i), is_finite=FINE)
        assert len(rows) == max(i + 1 - lag, 0)
    rows += tally.settle()
    assert [(r.sample_idx, r.file) for r in rows] == [(i, f'{i}.png') for i in range(count)]
    each = [confusion_matrix(*maps(i), 3) for i in range(count)]
    assert torch.equal(tally.matrix(), sum(each))
    for row, matrix in zip(rows, each, strict=True):
        hit, false, missed = row.counts
        assert hit.tolist() == matrix.diag().tolist()
        assert (hit + false).tolist() == matrix.sum(0).tolist()
        assert (hit + missed).tolist() == matrix.sum(1).tolist()
    assert tally.settle() == []


def test_an_error_names_its_own_file_however_late(lag):
    tally = Tally(3, 255)
    pred, label = maps(0)
    pred[2, 2] = 3
    tally.add(0, 'good.png', *maps(1))
    with pytest.raises(DataError, match=r'Scoring bad.png against l.png: A pred.*Got: 3\.'):
        add_two(tally, (1, 'bad.png', pred, label, 'l.png'), (2, 'next.png', *maps(2)))
    # what stood behind it is still there
    assert [row.file for row in tally.settle()] == (['next.png'] if lag else [])


def test_labels_out_of_range(lag):
    pred, label = maps(0)
    label[2, 2] = 7
    with pytest.raises(DataError, match='Scoring bad.png: A label map.*Got: 7'):
        add_two(Tally(3, 255), (0, 'bad.png', pred, label), (1, 'next.png', *maps(1)))


@pytest.mark.parametrize('scored', [True, False])
def test_a_network_that_gave_nan(lag, scored):
    tally = Tally(3, 255)
    pred, label = maps(0)
    with pytest.raises(DataError, match='The network gave nan for bad.png.*bfloat16'):
        add_two(tally, (0, 'bad.png', pred, label if scored else None, None, NAN),
                (1, 'next.png', *maps(1)))


def test_without_labels_rows_have_no_counts(lag):
    tally = Tally(3, 255)
    rows = tally.add(0, 'x.png', maps(0)[0]) + tally.settle()
    assert [(row.file, row.counts) for row in rows] == [('x.png', None)]
    assert tally.matrix().tolist() == [[0] * 3] * 3


def test_sizes_are_compared_at_once():
    with pytest.raises(ShapeError, match='Scoring x.png against l.png: '):
        Tally(3, 255).add(0, 'x.png', maps(0)[0], maps(1)[1], 'l.png')


def test_the_matrix_owns_its_memory():
    tally = Tally(3, 255)
    tally.add(0, 'x.png', *maps(0))
    assert tally.matrix().is_contiguous()
    tally.matrix().zero_()
    assert tally.matrix().sum() > 0
