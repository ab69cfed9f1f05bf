"""Windows along one axis are enough: 10 pixels, windows of 4 that stand 3 apart."""

import pytest
import torch

from segplug.errors import ShapeError
from segplug.models.tta_cfg import TestCfg
from segplug.models.tta_layers import Grid, merged, run, separate_windows, strips, window_spans

SLIDE = TestCfg(mode='slide', crop_size=(4, 10), stride=(3, 10), window_batch=2)
SIZE = (10, 10)


def _grid(cfg: TestCfg) -> Grid:
    return Grid(SIZE, SIZE, window_spans(SIZE, cfg), align_corners=False)


def _patches(x: torch.Tensor, cfg: TestCfg, channels: int = 3, network=None):
    return run(network or (lambda crops: crops), x, _grid(cfg), cfg, channels,
               torch.tensor(True))


def test_windows_of_an_input():
    assert window_spans(SIZE, TestCfg()) == (((0, 10),), ((0, 10),))
    assert window_spans(SIZE, SLIDE) == (((0, 4), (3, 7), (6, 10)), ((0, 10),))


def test_windows_go_through_the_network_in_batches():
    x, seen = torch.randn(1, 3, *SIZE), []
    patches = list(_patches(x, SLIDE, network=lambda crops: seen.append(len(crops)) or crops))
    assert seen == [2, 1]
    assert [(p.row, p.col) for p in patches] == [(0, 0), (1, 0), (2, 0)]
    for patch, top in zip(patches, (0, 3, 6), strict=True):
        assert torch.equal(patch.scores, x[:, :, top:top + 4])


def test_a_network_of_another_width_is_named():
    with pytest.raises(ShapeError, match=r'Got: \(2, 3, 4, 10\).*Expected: \(2, 5, h, w\)'):
        list(_patches(torch.zeros(1, 3, *SIZE), SLIDE, channels=5))


def test_rows_come_as_soon_as_no_window_is_missing():
    """Rows 0 to 2 are of the first window alone, 3 to 5 also of the second, the rest of all."""
    found = [(rows, len(layer.tiles)) for layer, rows in
             strips(_patches(torch.zeros(1, 3, *SIZE), SLIDE), _grid(SLIDE))]
    assert found == [((0, 3), 1), ((3, 6), 2), ((6, 10), 2)]


def test_each_window_and_its_mirror_image_may_be_a_layer():
    layers = [layer for layer, rows in separate_windows(
        _patches(torch.zeros(2, 3, *SIZE), SLIDE), _grid(SLIDE))]
    assert [layer.mirrored for layer in layers] == [(False,), (True,)] * 3


def test_windows_of_a_pointwise_network_make_up_the_input():
    x = torch.randn(1, 3, *SIZE)
    out = merged(strips(_patches(x, SLIDE), _grid(SLIDE)), _grid(SLIDE), by_window=False)
    torch.testing.assert_close(out, x)
