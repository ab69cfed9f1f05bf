import pytest
import torch

from segplug.errors import ShapeError
from segplug.ops.resize import resize


def test_the_same_size_is_the_same_tensor():
    x = torch.rand(1, 2, 3, 5)
    assert resize(x, size=(3, 5), mode='bilinear', align_corners=False) is x


def test_align_corners_has_its_two_meanings():
    x = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    # Corner centres coincide: samples at 0, 1/3, 2/3, 1 of the way.
    assert torch.allclose(resize(x, size=(1, 4), mode='bilinear', align_corners=True).flatten(),
                          torch.tensor([0, 1 / 3, 2 / 3, 1]))
    # Outer edges coincide: (i + 0.5) / 2 - 0.5 = -0.25, 0.25, 0.75, 1.25, cut to [0, 1].
    assert torch.allclose(resize(x, size=(1, 4), mode='bilinear', align_corners=False).flatten(),
                          torch.tensor([0, 0.25, 0.75, 1]))


def test_scale_factor_and_nearest():
    x = torch.tensor([1.0, 2.0]).view(1, 1, 1, 2)
    assert resize(x, scale_factor=2).tolist() == [[[[1, 1, 2, 2]] * 2]]


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r'\(3, 4\)'):
        resize(torch.rand(3, 4), size=(2, 2))
