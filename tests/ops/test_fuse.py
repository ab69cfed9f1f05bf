"""Sums of probabilities and labels, by hand."""

import pytest
import torch

from segplug.ops.fuse import PlainLabels, ProbabilitySum, labels_of, probabilities

# two classes, one row of three pixels; the last is a tie
PROBS = torch.tensor([[[.9, .2, .5]], [[.1, .8, .5]]])


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


def test_sum_unflips_and_averages():
    total = ProbabilitySum(2, (1, 3), 2)
    total.add(PROBS)
    total.add(PROBS, flip='horizontal')
    # class 0: .9 + .5, .2 + .2, .5 + .9, halved
    torch.testing.assert_close(total.mean()[0], torch.tensor([[.7, .2, .7]]))
    assert total.labels().tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(('flip', 'expected'), [
    (None, [[0, 0, 0], [1, 2, 0]]), ('horizontal', [[0, 0, 0], [0, 2, 1]]),
    ('vertical', [[1, 2, 0], [0, 0, 0]]), ('diagonal', [[0, 2, 1], [0, 0, 0]])])
def test_a_region_of_a_mirrored_image_lands_mirrored(flip, expected):
    total = ProbabilitySum(1, (2, 3), 1)
    total.add(torch.tensor([[[1., 2.]]]), top=1, left=0, flip=flip)
    assert total.mean()[0].tolist() == expected


def test_binary_threshold_is_of_the_mean():
    total = ProbabilitySum(1, (1, 2), 2, threshold=.3)
    total.add(torch.tensor([[[.5, .1]]]))
    total.add(torch.tensor([[[.2, .4]]]))
    assert total.labels().tolist() == [[1, 0]]  # means .35 and .25


def test_plain_labels_take_regions_and_keep_logits():
    plain = PlainLabels(2, (1, 3), keep=True)
    plain.add(PROBS[:, :, :1])
    plain.add(PROBS[:, :, 1:], left=1)
    assert plain.labels().tolist() == [[0, 1, 0]]
    assert torch.equal(plain.logits, PROBS)


def test_plain_binary_uses_a_probability():
    plain = PlainLabels(1, (1, 2), threshold=.3)
    plain.add(torch.tensor([[[-.5, -1.]]]))  # sigmoid: .378 and .269
    assert plain.labels().tolist() == [[1, 0]]
