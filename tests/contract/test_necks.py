"""What every registered neck keeps. A neck without a row in ROWS fails."""

import inspect
import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from contracts import WAYS, build, check_layout_and_precision, filled, in_the_way, registered

from segplug.errors import ConfigError, ShapeError
from segplug.registry import MODELS

PYRAMID = ((6, 4), (8, 8), (10, 16))  # channels and stride of each level of a backbone
FLAT = ((6, 16),) * 4  # of a vision transformer
BN = dict(norm_cfg=dict(type='BN'))


class Row(NamedTuple):
    """A neck, what goes in, and what comes out: channels, the level whose size is meant, times."""

    type: str
    kwargs: dict
    outs: tuple[tuple[int, int, float], ...]
    levels: tuple[tuple[int, int], ...] = PYRAMID
    rounded: Callable = math.ceil


ROWS = [
    Row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=3),
        ((4, 0, 1), (4, 1, 1), (4, 2, 1))),
    Row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=4, **BN),
        ((4, 0, 1), (4, 1, 1), (4, 2, 1), (4, 2, 1 / 2))),
    Row('FPN', dict(in_channels=[6, 8, 10], out_channels=4, num_outs=4, start_level=1,
                    add_extra_convs='on_input', relu_before_extra_convs=True, **BN),
        ((4, 1, 1), (4, 2, 1), (4, 2, 1 / 2), (4, 2, 1 / 4))),
    Row('Feature2Pyramid', dict(embed_dim=6, **BN),
        ((6, 0, 4), (6, 0, 2), (6, 0, 1), (6, 0, 1 / 2)), FLAT, math.floor),
    Row('Feature2Pyramid', dict(embed_dim=6, rescales=[2, 1, 0.5, 0.25], **BN),
        ((6, 0, 2), (6, 0, 1), (6, 0, 1 / 2), (6, 0, 1 / 4)), FLAT, math.floor),
    Row('ICNeck', dict(in_channels=(6, 8, 10), out_channels=4),
        ((4, 1, 1), (4, 0, 1), (4, 0, 1))),
    Row('JPU', dict(in_channels=(6, 8, 10), mid_channels=4, dilations=(1, 2)),
        ((6, 0, 1), (8, 1, 1), (8, 0, 1))),
    Row('JPU', dict(in_channels=(6, 8, 10), mid_channels=4, start_level=1),
        ((8, 1, 1), (16, 1, 1))),
    Row('MultiLevelNeck', dict(in_channels=[6] * 4, out_channels=4, scales=[4, 2, 1, 0.5]),
        ((4, 0, 4), (4, 0, 2), (4, 0, 1), (4, 0, 1 / 2)), FLAT, math.floor),
    Row('MultiLevelNeck', dict(in_channels=[6], out_channels=4, **BN),
        ((4, 0, 1 / 2), (4, 0, 1), (4, 0, 2), (4, 0, 4)), FLAT[:1], math.floor),
]
SIZES = [(64, 96), (97, 71)]
every_row = pytest.mark.parametrize('row', ROWS, ids=lambda row: f'{row.type}-{row.kwargs}')


def _build(row: Row, seed: int = 0) -> torch.nn.Module:
    return build(dict(type=row.type, **row.kwargs), seed)


def _levels(row: Row, size: tuple[int, int] = (64, 96), seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(2, c, *(-(-s // stride) for s in size), generator=generator)
            for c, stride in row.levels]



def test_every_neck_has_a_row():
    assert registered('necks') == {row.type for row in ROWS}


@every_row
@pytest.mark.parametrize('size', SIZES)
def test_number_channels_and_sizes(row, size):
    levels = _levels(row, size)
    outs = _build(row).eval()(levels)
    assert isinstance(outs, tuple)
    assert len(outs) == len(row.outs)
    for out, (channels, level, times) in zip(outs, row.outs, strict=True):
        sides = levels[level].shape[2:]
        assert out.shape == (2, channels, *(row.rounded(s * times) for s in sides))
        assert out.isfinite().all()


@every_row
@pytest.mark.parametrize('way', WAYS)
def test_every_parameter_learns_and_the_input_stays(row, way):
    neck = _build(row).train()
    levels, precision = in_the_way(way, neck, _levels(row, SIZES[1]))
    before = [level.clone() for level in levels]
    with precision:
        outs = neck(levels)
    sum(out.float().square().sum() for out in outs).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in neck.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, levels, strict=True))


@every_row
def test_state_dict_round_trips(row):
    first, second = _build(row, 0).eval(), _build(row, 1).eval()
    levels = _levels(row)
    assert not all(torch.equal(a, b)
                   for a, b in zip(first(levels), second(levels), strict=True))
    second.load_state_dict(first.state_dict(), strict=True)
    for a, b in zip(first(levels), second(levels), strict=True):
        assert torch.equal(a, b)


@every_row
@pytest.mark.parametrize('training', [False, True])
def test_memory_format_and_bf16_change_next_to_nothing(row, training):
    check_layout_and_precision(filled(_build(row)).train(training),
                               lambda neck, levels: neck(levels), _levels(row, SIZES[1]))


@every_row
def test_another_number_of_levels_is_an_error(row):
    with pytest.raises(ShapeError, match=f'Expected: {len(row.levels)} levels'):
        _build(row)([*_levels(row), torch.rand(2, 3, 4, 4)])


@every_row
def test_signature_hides_nothing_and_a_misspelt_key_is_an_error(row):
    parameters = inspect.signature(MODELS.get(row.type)).parameters
    assert all(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())
    with pytest.raises(ConfigError, match='norm_cfg'):
        MODELS.build(dict(type=row.type, norm_cgf=None, **row.kwargs))
