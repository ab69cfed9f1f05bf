"""Sizes as numbers and as symbols: the same values, and no number of the size that was recorded."""

import warnings

import pytest
import torch
from torch import nn

from segplug.ops.joined_conv import joined_conv
from segplug.ops.resize import resize
from segplug.ops.sizes import is_known, scaled, top_left, whole


class Net(nn.Module):
    """Doubles a map, cuts it to a pixel less, and joins it with its own mean cells."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        size = [scaled(side, 2) for side in (height, width)]
        cut = top_left(resize(x, size, mode='bilinear'), height * 2 - 1, width * 2 - 1)
        cells = x.mean((2, 3), keepdim=True)
        weight = torch.ones(1, 2 * x.shape[1], 3, 3)
        return joined_conv([cut, cells], 0, weight, None, align_corners=False)


def recorded_by_export(image: torch.Tensor):
    dims = ({0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC,
             3: torch.export.Dim.DYNAMIC},)
    return torch.export.export(Net(), (image,), dynamic_shapes=dims, strict=False).module()


def recorded_by_trace(image: torch.Tensor):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # it is called deprecated
        return torch.jit.trace(Net(), image, check_trace=False)


@pytest.mark.parametrize('record', [
    recorded_by_trace, pytest.param(recorded_by_export, marks=pytest.mark.skipif(
        not hasattr(torch.export.Dim, 'DYNAMIC'), reason='torch before 2.6'))])
def test_a_graph_holds_for_other_sizes(record):
    graph = record(torch.rand(2, 1, 6, 8))
    for shape in ((1, 1, 9, 5), (3, 1, 20, 31)):
        x = torch.rand(shape)
        assert graph(x).shape == (shape[0], 1, 2 * shape[2] - 1, 2 * shape[3] - 1)
        torch.testing.assert_close(graph(x), Net()(x), rtol=1e-5, atol=1e-5)


def test_numbers_stay_numbers():
    assert is_known(3, 4)
    assert not is_known(3, torch.tensor(4))
    assert whole(3.0) == 3
    assert isinstance(whole(3.0), int)
    # 7 * 1.5 = 10.5, rounded down; a symbol of a trace is a tensor.
    assert scaled(7, 1.5) == 10
    assert scaled(torch.tensor(7), 1.5).item() == 10
    assert scaled(torch.tensor(7), 2.0).item() == 14


def test_the_top_left():
    x = torch.arange(12.).view(1, 1, 3, 4)
    assert top_left(x, 2, 3).flatten().tolist() == [0, 1, 2, 4, 5, 6]
