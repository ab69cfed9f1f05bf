import pytest
import torch

from segplug.models.layers import point_sample

MAP = torch.tensor([[[[1., 3.], [5., 9.]]]])


def _at(*points: tuple[float, float], **options) -> list[float]:
    return point_sample(MAP, torch.tensor([points]), **options)[0, 0].tolist()


def test_points_are_x_then_y_and_0_to_1_from_edge_to_edge():
    assert _at((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.5, 0.5)) == [1, 3, 5, 18 / 4]


def test_with_align_corners_0_and_1_are_the_centres_of_the_corner_pixels():
    assert _at((0., 0.), (1., 0.), (0., 1.), (0.5, 0.), align_corners=True) == [1, 3, 5, 2]


def test_outside_is_zero_or_the_border():
    """On the edge half of a sample is outside, in the corner three quarters."""
    assert _at((0., 0.25), (1., 1.)) == [0.5, 9 / 4]
    assert _at((0., 0.25), (1., 1.), padding_mode='border') == [1, 9]


@pytest.mark.parametrize('padding_mode', ['zeros', 'border'])
def test_nearest(padding_mode):
    assert _at((0.4, 0.1), (0.6, 0.9), mode='nearest', padding_mode=padding_mode) == [1, 9]


def test_half_precision_finds_its_place():
    """Of 512 pixels in a row the centre of pixel 301 is at 301.5 / 512, which bfloat16 lacks."""
    row = (torch.arange(512) == 301).to(torch.bfloat16).view(1, 1, 1, 512)
    value = point_sample(row, torch.tensor([[[301.5 / 512, 0.5]]]))
    assert value.dtype == torch.bfloat16
    assert value.item() == 1
