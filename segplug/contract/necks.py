"""What every neck keeps: levels of a backbone become levels of known channels and sizes."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..errors import ShapeError
from . import nets
from .case import Check, adds_to, hold, of_ours

CHECKS: list[Check] = []
SIZES = ((64, 96), (97, 71))


@dataclass
class NeckCase(nets.NetCase):
    """A neck.

    Attributes:
        levels: Channels and stride of each level that goes in.
        outs: What comes out, if that is known: channels, the level whose size is meant, times.
        rounded: How a side that is no whole number is rounded.
    """

    levels: tuple[tuple[int, int], ...] = ((6, 4), (8, 8), (10, 16))
    outs: tuple[tuple[int, int, float], ...] | None = None
    rounded: Callable = math.ceil
    LEARNS = tuple((SIZES[1], way) for way in nets.WAYS)
    SIZE = SIZES[0]

    def inputs(self, size):
        generator = torch.Generator().manual_seed(0)
        return [torch.rand(2, c, *(-(-s // stride) for s in size), generator=generator)
                for c, stride in self.levels]

    def outputs(self, net, inputs):
        return net(inputs)


@adds_to(CHECKS, 'levels')
def number_channels_and_sizes(case: NeckCase) -> None:
    """Levels come out, of the channels and sizes that are declared."""
    for size in SIZES:
        levels = case.inputs(size)
        outs = case.net().eval()(levels)
        nets.check_levels(case.name, outs, size)
        hold(isinstance(outs, tuple) or not case.strict, f'{case.name} gives no tuple.')
        if case.outs is None:
            continue
        hold(len(outs) == len(case.outs), f'{case.name} gives another number of levels.',
             got=len(outs), expected=len(case.outs))
        for out, (channels, level, times) in zip(outs, case.outs, strict=True):
            expected = (2, channels, *(case.rounded(s * times) for s in levels[level].shape[2:]))
            hold(tuple(out.shape) == expected, f'{case.name} gives a level of another shape.',
                 got=tuple(out.shape), expected=expected)


@adds_to(CHECKS, 'number of levels', of_ours)
def another_number_of_levels_is_an_error(case: NeckCase) -> None:
    """A backbone with another number of levels is a `ShapeError` that says so."""
    try:
        case.net()([*case.inputs(SIZES[0]), torch.rand(2, 3, 4, 4)])
    except ShapeError as error:
        hold(f'Expected: {len(case.levels)} levels' in str(error),
             f'{case.name} does not say how many levels it takes.', got=str(error))
    else:
        hold(False, f'{case.name} takes one level more than it knows.')


CHECKS += nets.CHECKS
