"""Functions of losses with their published arguments; three pixels are counted by hand."""

import pytest
import torch

from segplug.errors import ConfigError, ShapeError

# Classes by score: pixel 0: 2, 1, 0; pixel 1: 0, 2, 1; pixel 2: 1, 0, 2.
PRED = torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.1, 0.3], [0.2, 0.5, 0.1]])


def test_accuracy_among_the_best(lent):
    from mmseg.models.losses import Accuracy, accuracy
    label = torch.tensor([2, 2, 2])
    # Best: right in pixel 0. Best two: in 0 and 1.
    assert accuracy(PRED, label).tolist() == pytest.approx([100 / 3])
    first, second = accuracy(PRED, label, topk=(1, 2))
    assert first.tolist() == pytest.approx([100 / 3])
    assert second.tolist() == pytest.approx([200 / 3])
    assert Accuracy(topk=(1, 2))(PRED, label)[1] == second
    # Of the two pixels that count, one.
    assert accuracy(PRED, torch.tensor([2, 2, 255]), ignore_index=255).item() == 50
    # 0.3 of pixel 1 is too little.
    assert accuracy(PRED, label, topk=2, thresh=0.4).item() == pytest.approx(100 / 3)


def test_accuracy_of_maps_and_of_nothing(lent):
    from mmseg.models.losses import accuracy
    maps = PRED.T[None, :, None]  # (1, 3, 1, 3)
    assert accuracy(maps, torch.tensor([[[2, 0, 1]]])).item() == 100
    assert accuracy(PRED[:0], torch.zeros(0, dtype=torch.long)).item() == 0
    assert accuracy(PRED, torch.full((3,), 255), ignore_index=255).item() == 0
    with pytest.raises(ShapeError, match='topk at most K'):
        accuracy(PRED, torch.zeros(3), topk=4)


def test_binary_cross_entropy_has_their_order_of_arguments(lent):
    from mmseg.models.losses import binary_cross_entropy

    from segplug.models.losses import binary_cross_entropy as ours
    logits = torch.tensor([[[[1.0, -2.0]]]])
    label = torch.tensor([[[1, 255]]])
    assert torch.equal(binary_cross_entropy(logits, label, None, 'sum', ignore_index=255),
                       ours(logits, label, reduction='sum', ignore_index=255))


def test_mask_cross_entropy_takes_the_mask_of_each_class(lent):
    from mmseg.models.losses import mask_cross_entropy
    logits = torch.zeros(2, 3, 1, 1)
    logits[0, 2] = 100
    # Region 0: its class is sure and right, 0. Region 1: ln 2. Mean: ln 2 / 2.
    loss = mask_cross_entropy(logits, torch.ones(2, 1, 1), torch.tensor([2, 0]))
    assert loss.shape == (1,)
    assert loss.item() == pytest.approx(0.34657359)


def test_what_is_no_number_of_classes(lent):
    from mmseg.models.losses import Accuracy
    with pytest.raises(ConfigError, match='topk'):
        Accuracy(topk='best')(PRED, torch.tensor([2, 2, 2]))
