"""Sums of probabilities and labels, by hand; compiled and in plain torch."""

import importlib.util

import pytest
import torch

from segplug.ops.fuse import Canvas, labels_of, probabilities
from segplug.ops.geometry import Layer, axes

# two classes, one row of three pixels; the last is a tie
PROBS = torch.tensor([[[.9, .2, .5]], [[.1, .8, .5]]])


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernels(request, monkeypatch):
    """Every test runs with the compiled kernels and without them."""
    if request.param == 'compiled' and importlib.util.find_spec('numba') is None:
        pytest.skip('numba, which compiles the kernels, is not installed')
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')


def layer(scores, mirrored=(False,), size=None):
    """A layer of (M, K, H, W) scores that lie upon the whole result, cell on pixel."""
    height, width = size or scores.shape[2:]
    rows = axes(height, height, ((0, height),), scores.shape[2])
    cols = axes(width, width, ((0, width),), scores.shape[3])
    return Layer([[scores]], mirrored, rows.windows, cols.windows, rows.share, cols.share)


def window(scores, size, top, left, mirrored=False):
    """A layer of one window (1, K, h, w) whose corner is (top, left), alone on its pixels."""
    spans = [(start, start + n) for start, n in zip((top, left), scores.shape[2:], strict=True)]
    rows, cols = (axes(size[i], size[i], (spans[i],), scores.shape[2 + i]) for i in (0, 1))
    return Layer([[scores]], (mirrored,), rows.windows, cols.windows, torch.ones(size[0]),
                 torch.ones(size[1]))


def test_labels_of_breaks_ties_to_the_lower_class():
    assert labels_of(PROBS).tolist() == [[0, 1, 0]]
    assert labels_of(PROBS).dtype == torch.uint8
    assert labels_of(torch.zeros(300, 1, 1)).dtype == torch.int32


def test_labels_of_equals_argmax():
    scores = torch.randn(19, 8, 9)
    assert torch.equal(labels_of(scores).long(), scores.argmax(0))


def test_probabilities():
    assert torch.equal(probabilities(torch.zeros(1, 2, 2)), torch.full((1, 2, 2), .5))
    assert torch.equal(probabilities(torch.zeros(5, 4, 2, 2)), torch.full((5, 4, 2, 2), .25))


@pytest.mark.parametrize('keep', [False, True])
def test_one_pass_of_logits(keep):
    canvas = Canvas(2, (1, 3), 1, softmax=False, keep=keep)
    canvas.add(layer(PROBS[None]))
    assert canvas.labels().tolist() == [[0, 1, 0]]
    assert (canvas.total is not None) == keep
    if keep:
        assert torch.equal(canvas.scores(), PROBS)


def test_a_map_of_the_mirror_image_is_unflipped():
    canvas = Canvas(2, (1, 3), 1, num_maps=2, softmax=False, keep=True)
    canvas.add(layer(torch.stack([PROBS, PROBS]), (False, True)))
    # class 0: .9 + .5, .2 + .2, .5 + .9, halved; class 1: .1 + .5, .8 + .8, .5 + .1
    torch.testing.assert_close(canvas.scores(),
                               torch.tensor([[[.7, .2, .7]], [[.3, .8, .3]]]))
    assert canvas.labels().tolist() == [[0, 1, 0]]


def test_passes_add_up_and_the_last_one_labels():
    canvas = Canvas(2, (1, 3), 3, num_maps=3)
    # log odds of class 0 of three passes at each pixel; softmax of (a, 0) is 1 / (1 + e^-a)
    odds = torch.tensor([[2., -1., 0.], [-3., -1., 0.], [2., 3., -1e4]])
    for number, row in enumerate(odds):
        canvas.add(layer(torch.stack([row, torch.zeros(3)]).view(1, 2, 1, 3)), number)
    # first pixel: .881 + .047 + .881 of 3 > .5; second: .269 + .269 + .953 = 1.491 < 1.5;
    # third: .5 + .5 + 0 = 1 < 1.5
    assert canvas.labels().tolist() == [[0, 1, 1]]


@pytest.mark.parametrize(('mirrored', 'expected'), [
    (False, [[0, 0, 0], [1, 2, 0]]), (True, [[0, 0, 0], [0, 2, 1]])])
def test_a_window_lands_where_it_belongs(mirrored, expected):
    canvas = Canvas(1, (2, 3), None, softmax=False)
    canvas.add(window(torch.tensor([[[[1., 2.]]]]), (2, 3), 1, 0, mirrored), weigh=True)
    assert canvas.scores()[0].tolist() == expected


def test_windows_are_weighed_after_the_softmax():
    canvas = Canvas(2, (1, 2), None)
    one = window(torch.tensor([[[[0.]], [[0.]]]]), (1, 2), 0, 1)
    half = Layer(one.tiles, one.mirrored, one.rows, one.cols, one.row_share,
                 torch.tensor([1., .5]))
    for item in (one, half):
        canvas.add(item, weigh=True)
    assert canvas.scores().tolist() == [[[0, .75]], [[0, .75]]]  # .5 + .5 * .5


def test_rows_are_written_when_their_windows_are_there():
    canvas = Canvas(2, (2, 1), 1, softmax=False)
    both = layer(torch.tensor([[[[1.], [0.]], [[0.], [1.]]]]))
    canvas.add(both, rows=(1, 2))
    canvas.add(both, rows=(0, 1))
    assert canvas.labels().tolist() == [[0], [1]]


def test_binary_threshold_is_of_the_mean():
    canvas = Canvas(1, (1, 2), 2, num_maps=2, threshold=.3)
    # sigmoid of 0 and of ln(1/9) = .1; then of ln(1/4) = .2 and ln(2/3) = .4
    for number, odds in enumerate(([1., 1 / 9], [1 / 4, 2 / 3])):
        canvas.add(layer(torch.tensor(odds).log().view(1, 1, 1, 2)), number)
    assert canvas.labels().tolist() == [[1, 0]]  # means .35 and .25


def test_plain_binary_compares_its_probability():
    canvas = Canvas(1, (1, 2), 1, softmax=False, threshold=.3)
    canvas.add(layer(torch.tensor([[[[-.5, -1.]]]])))  # sigmoid: .378 and .269
    assert canvas.labels().tolist() == [[1, 0]]


def test_extreme_logits_give_probabilities():
    canvas = Canvas(3, (1, 2), 1, num_maps=1, keep=True)
    canvas.add(layer(torch.tensor([1e30, -1e30, 0., 200., -1e30, 100.]).view(1, 3, 1, 2)))
    torch.testing.assert_close(canvas.scores(), torch.tensor([[[1., 0.]], [[0., 1.]], [[0., 0.]]]),
                               rtol=0, atol=1e-6)
    binary = Canvas(1, (1, 3), 1, keep=True)
    binary.add(layer(torch.tensor([-1e30, 0., 1e30]).view(1, 1, 1, 3)))
    torch.testing.assert_close(binary.scores(), torch.tensor([[[0., .5, 1.]]]))
