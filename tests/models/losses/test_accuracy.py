import torch

from segplug.models.losses import accuracy


def test_percentage_of_the_pixels_that_count():
    """Predicted 1, 0, 1, 1; labels 1, 1, ignored, 1: two of three."""
    pred = torch.tensor([[0.0, 2, 0, 0], [1, 1, 1, 1]]).view(1, 2, 2, 2)
    target = torch.tensor([[[1, 1], [255, 1]]])
    assert accuracy(pred, target, 255).item() == torch.tensor(200 / 3).item()
    assert accuracy(pred, target, None).item() == 50


def test_one_channel_is_by_threshold():
    """sigmoid of 0, -1, 2 is 0.5, 0.27, 0.88."""
    pred = torch.tensor([0.0, -1.0, 2.0]).view(1, 1, 1, 3)
    target = torch.ones(1, 1, 3, dtype=torch.long)
    assert accuracy(pred, target, 255, threshold=0.3).round().item() == 67
    assert accuracy(pred, target, 255, threshold=0.2).item() == 100
    assert accuracy(pred, target, 255).round().item() == 33


def test_all_ignored_is_zero():
    assert accuracy(torch.rand(1, 3, 2, 2), torch.full((1, 2, 2), 255), 255).item() == 0


def test_a_class_may_be_the_ignored_value():
    """Predicted 1, 1; labels 0 and 1, and class 1 is ignored: one pixel counts, and is wrong."""
    pred = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).view(1, 2, 1, 2)
    assert accuracy(pred, torch.tensor([[[0, 1]]]), ignore_index=1).item() == 0
