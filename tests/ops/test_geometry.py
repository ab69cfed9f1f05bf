"""The map from output pixels to logit cells, against torch's resize and by hand."""

import pytest
import torch
import torch.nn.functional as F

from segplug.ops.geometry import Axis, axes, axis, sample, scaled_size, unpad


def _interpolate(x, size, align_corners):
    return F.interpolate(x, size, mode='bilinear', align_corners=align_corners)


def _general(made):
    """The same map without its shortcut."""
    return Axis(made.start, made.stop, made.low, made.high, made.weight, False)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('shortcut', [True, False])
def test_whole_image_equals_torch(align_corners, shortcut):
    logits = torch.randn(2, 3, 5, 7)
    rows = axis(13, 9, (0, 9), 5, align_corners=align_corners)
    cols = axis(11, 21, (0, 21), 7, align_corners=align_corners)
    if not shortcut:
        rows, cols = _general(rows), _general(cols)
    found = sample(logits, rows, cols)
    torch.testing.assert_close(found, _interpolate(logits, (13, 11), align_corners),
                               rtol=0, atol=1e-5)  # float32, summed in another order
    assert torch.equal(sample(logits, rows, cols, slice(4, 9)),
                       found[:, :, 4:9])


@pytest.mark.parametrize('align_corners', [False, True])
def test_padding_is_cut_when_nothing_is_resized(align_corners):
    """Input 10, padded to 16, 8 cells: upsampling to 16 and cutting is the definition."""
    logits = torch.randn(1, 2, 8, 8)
    made = axis(10, 10, (0, 16), 8, align_corners=align_corners)
    assert (made.start, made.stop, made.plain) == (0, 10, False)
    torch.testing.assert_close(
        sample(logits, made, made),
        unpad(_interpolate(logits, (16, 16), align_corners), (10, 10)), rtol=0, atol=1e-6)


def test_window_without_resizing_is_its_own_upsampling():
    made = axis(20, 20, (6, 14), 4)
    assert (made.start, made.stop, made.plain) == (6, 14, True)
    logits = torch.randn(1, 1, 4, 4)
    expected = _interpolate(logits, (8, 8), False)
    torch.testing.assert_close(sample(logits, made, made), expected)
    torch.testing.assert_close(sample(logits, _general(made), _general(made)), expected)


def test_window_at_another_scale_by_hand():
    # Output 8 pixels, input 4, window 2..4 with 2 cells. Centres of output pixels on the input:
    # .25 .75 1.25 1.75 2.25 2.75 3.25 3.75 -> pixels 4..7 are covered. Cells of the window:
    # (2.25 - 2) - .5 = -.25 -> 0;  .25;  .75;  1.25 -> 1
    made = axis(8, 4, (2, 4), 2)
    assert (made.start, made.stop, made.plain) == (4, 8, False)
    cells = torch.tensor([[[[0., 1.]]]])
    row = axis(1, 1, (0, 1), 1)
    torch.testing.assert_close(sample(cells, row, made), torch.tensor([[[[0, .25, .75, 1]]]]))


def test_window_too_small_for_any_output_pixel():
    # Output 1 pixel, centre at 5 of 10 input pixels: windows 0..4 and 6..10 do not hold it
    assert len(axis(1, 10, (0, 4), 2)) == 0
    assert len(axis(1, 10, (3, 7), 2)) == 1


@pytest.mark.parametrize('align_corners', [False, True])
def test_share(align_corners):
    # no resize: windows 0..4 and 2..6 -> pixels 2 and 3 are seen twice
    found = axes(6, 6, ((0, 4), (2, 6)), 1, align_corners=align_corners).share
    assert found.tolist() == [1, 1, .5, .5, 1, 1]


@pytest.mark.parametrize('align_corners', [False, True])
def test_adjacent_windows_cover_every_output_pixel_once(align_corners):
    for out_size in (3, 7, 12, 25):
        found = axes(out_size, 10, ((0, 4), (4, 8), (8, 10)), 2,
                     align_corners=align_corners).share
        assert found.tolist() == [1] * out_size


def test_scaled_size_rounds_as_mmcv():
    from mmcv.image.geometric import _scale_size
    for scale in (0.5, 0.75, 1.25, 1.75, 0.3):
        for size in ((5, 7), (1024, 2048), (360, 481)):
            assert scaled_size(size, scale) == _scale_size(size, scale)
    assert scaled_size((1, 3), 0.1) == (1, 1)


def test_identity_is_seen():
    assert axis(5, 5, (0, 5), 5).is_identity
    assert axis(5, 5, (2, 4), 2).is_identity
    assert axis(5, 5, (0, 8), 8).is_identity  # padded
    assert axis(5, 5, (0, 5), 5, align_corners=True).is_identity
    assert not axis(5, 5, (0, 5), 4).is_identity
    assert not axis(10, 5, (0, 5), 5).is_identity
    assert not axis(2, 4, (0, 4), 4).is_identity


def test_axes_of_images_of_one_size_are_made_once():
    assert axes(9, 9, ((0, 9),), 3) is axes(9, 9, ((0, 9),), 3)
    assert axes(9, 9, ((0, 9),), 3) is not axes(9, 9, ((0, 9),), 4)
