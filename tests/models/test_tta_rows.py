"""Rows in, rows out: the labels of `predict_image`, to the pixel, compiled and in plain torch."""

import importlib.util

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models import tta_rows
from segplug.models.tta import TestCfg, predict_image
from segplug.models.tta_layers import Grid, Strips
from segplug.models.tta_rows import predict_rows
from segplug.ops.windows import spans

SIZE = (101, 50)


@pytest.fixture(params=['compiled', 'plain'], autouse=True)
def kernels(request, monkeypatch):
    if request.param == 'compiled' and importlib.util.find_spec('numba') is None:
        pytest.skip('numba, which compiles the kernels, is not installed')
    monkeypatch.setenv('SEGPLUG_KERNELS', 'on' if request.param == 'compiled' else 'off')


def network(channels, stride=4):
    weight = torch.randn(channels, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    return lambda x: F.conv2d(x, weight, stride=stride, padding=3)


def prepare(divisor):
    def of(x):
        valid = tuple(x.shape[-2:])
        pad = [-size % divisor for size in valid]
        return F.pad((x.float() - 120) / 60, (0, pad[1], 0, pad[0])), valid
    return of


class Rows:
    """The prepared image, handed out by rows; remembers what it was asked."""

    def __init__(self, whole):
        self.whole, self.asked = whole, []

    def __call__(self, top, bottom):
        self.asked.append((top, bottom))
        return self.whole[:, :, top:bottom]


@pytest.mark.parametrize('divisor', [1, 8])
@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('channels', [1, 5, 300])
@pytest.mark.parametrize('average', ['logits', 'probs'])
@pytest.mark.parametrize('stride', [(16, 20), (24, 32), (7, 32)])
def test_the_labels_of_the_whole_image(divisor, flip, channels, average, stride):
    generator = torch.Generator().manual_seed(1)
    img = torch.randint(0, 256, (3, *SIZE), generator=generator, dtype=torch.uint8)
    cfg = TestCfg(mode='slide', crop_size=(24, 32), stride=stride, window_average=average,
                  flip=flip)
    whole = predict_image(network(channels), img, SIZE, cfg, prepare(divisor),
                          out_channels=channels)
    inputs, _ = prepare(divisor)(img[None])
    rows = Rows(torch.cat([inputs_of(img, divisor, mirrored) for mirrored in (False, True)])
                if flip else inputs)
    bands = list(predict_rows(network(channels), rows, SIZE, tuple(inputs.shape[2:]), cfg,
                              out_channels=channels))
    assert torch.equal(torch.cat([band.labels for band in bands]), whole.labels)
    assert bands[0].labels.dtype == whole.labels.dtype
    assert [band.top for band in bands] == [0, *torch.tensor(
        [len(band.labels) for band in bands]).cumsum(0)[:-1].tolist()]
    assert rows.asked == spans(inputs.shape[2], 24, stride[0])  # each row of windows once


@pytest.mark.parametrize('at_once', [1, 3])
@pytest.mark.parametrize('cell', [1, 4, 5])
@pytest.mark.parametrize('average', ['logits', 'probs'])
@pytest.mark.parametrize('stride', [(16, 20), (24, 32), (7, 9), (23, 31)])
def test_columns_come_in_panels(monkeypatch, at_once, cell, average, stride):
    """However few windows are held at a time; each goes through the network once."""
    monkeypatch.setattr(tta_rows, '_PANEL_BYTES', 0)
    monkeypatch.setattr(tta_rows, '_AT_ONCE', at_once)
    img = torch.randint(0, 256, (3, 71, 150), dtype=torch.uint8,
                        generator=torch.Generator().manual_seed(2))
    cfg = TestCfg(mode='slide', crop_size=(24, 32), stride=stride, window_average=average)
    whole = predict_image(network(5, cell), img, (71, 150), cfg, prepare(8), out_channels=5)
    inputs, _ = prepare(8)(img[None])
    rows, seen = Rows(inputs), []

    def counted(x):
        seen.append(len(x))
        return network(5, cell)(x)
    bands = list(predict_rows(counted, rows, (71, 150), tuple(inputs.shape[2:]), cfg,
                              out_channels=5))
    assert torch.equal(torch.cat([band.labels for band in bands]), whole.labels)
    spans_y, spans_x = (spans(inputs.shape[i + 2], (24, 32)[i], stride[i]) for i in (0, 1))
    assert rows.asked == spans_y
    assert sum(seen) == len(spans_y) * len(spans_x)


def test_of_windows_that_wait_only_what_the_next_row_overlaps_is_held():
    """Windows of 24 rows every 16, a cell a pixel: 8 rows of cells wait; before the last row of
    windows, which is moved up to row 47, there are 56 - 47 = 9."""
    grid = Grid((71, 32), (71, 32), (tuple(spans(71, 24, 16)), ((0, 32),)), False)
    strips, held = Strips(grid, trim=True), []
    for _ in grid.spans[0]:
        for layer, _ in strips.add([torch.zeros(1, 2, 24, 32)]):
            assert len({tile.shape for row in layer.tiles for tile in row}) == 1
        held.append([tiles[0].shape[2] for _, tiles in strips._waiting])
    assert grid.spans[0] == ((0, 24), (16, 40), (32, 56), (47, 71))
    assert held == [[8], [8], [9], []]


def inputs_of(img, divisor, mirrored):
    """Mirrored, then padded: the padding is at the right of both."""
    return prepare(divisor)((img.flip(-1) if mirrored else img)[None])[0]


def test_an_image_smaller_than_a_window():
    img = torch.randint(0, 256, (3, 9, 11), dtype=torch.uint8)
    cfg = TestCfg(mode='slide', crop_size=(24, 32), stride=(16, 20))
    whole = predict_image(network(4), img, (9, 11), cfg, prepare(1), out_channels=4)
    band, = predict_rows(network(4), Rows(prepare(1)(img[None])[0]), (9, 11), (9, 11), cfg,
                         out_channels=4)
    assert torch.equal(band.labels, whole.labels)


def test_nan_is_told():
    cfg = TestCfg(mode='slide', crop_size=(8, 8), stride=(8, 8))
    inputs = torch.zeros(1, 3, 24, 8)
    inputs[..., 10, 3] = torch.nan
    bands = predict_rows(network(2), Rows(inputs), (24, 8), (24, 8), cfg, out_channels=2)
    assert [bool(band.is_finite) for band in bands] == [True, False, False]


@pytest.mark.parametrize('cfg', [
    TestCfg(), TestCfg(mode='slide', crop_size=(8, 8), stride=(8, 8), scales=(0.5, 1.0)),
    TestCfg(mode='slide', crop_size=(8, 8), stride=(8, 8), base_size=64)])
def test_other_tests_need_the_whole_image(cfg):
    with pytest.raises(ConfigError, match='tested in windows, at one scale'):
        next(predict_rows(network(2), Rows(None), SIZE, SIZE, cfg, out_channels=2))
