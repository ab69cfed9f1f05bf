import pytest
import torch

from segplug.errors import ShapeError
from segplug.models.losses import DiceLoss, LovaszLoss, TverskyLoss
from segplug.models.losses.regions import region_weights, without_classes


def test_weights_of_pixels_and_of_images():
    valid = torch.tensor([[[True, False]], [[False, False]]])
    pixels, images = region_weights(None, valid)
    assert pixels.tolist() == [[[1, 0]], [[0, 0]]]
    assert images.tolist() == [1, 0]
    pixels, images = region_weights(torch.tensor([3.0, 5.0]), valid)
    assert pixels.tolist() == [[[1, 0]], [[0, 0]]]
    assert images.tolist() == [3, 0]
    pixels, images = region_weights(torch.tensor([[0.5, 4.0], [1.0, 1.0]]), valid)
    assert pixels.tolist() == [[[0.5, 0]], [[0, 0]]]
    assert images.tolist() == [1, 0]
    with pytest.raises(ShapeError):
        region_weights(torch.ones(2, 3), valid)


def test_classes_that_are_ignored_leave():
    maps = torch.arange(3.0).view(1, 3, 1)
    assert without_classes((255, 1), maps)[0].flatten().tolist() == [0, 2]
    assert without_classes((255, None), maps)[0] is maps
    assert without_classes((0, 1), maps[:, :1])[0].shape == (1, 1, 1)


@pytest.mark.parametrize('loss', [
    DiceLoss(), DiceLoss(naive_dice=True, use_sigmoid=False), TverskyLoss(), LovaszLoss(),
    LovaszLoss(classes='all', per_image=True)], ids=str)
def test_a_pixel_of_weight_two_counts_as_two(loss):
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    weight = torch.ones(2, 4, 5)
    weight[..., 2] = 2
    twice = [0, 1, 2, 2, 3, 4]
    assert torch.allclose(loss(pred, label, weight=weight),
                          loss(pred[..., twice], label[..., twice]), rtol=1e-5)


@pytest.mark.parametrize('loss', [DiceLoss(reduction='none'), DiceLoss(
    naive_dice=True, reduction='none')], ids=str)
def test_weights_of_images_multiply(loss):
    pred, label = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    assert torch.allclose(loss(pred, label, weight=torch.tensor([2.0, 0.5])),
                          loss(pred, label) * torch.tensor([2.0, 0.5]))
