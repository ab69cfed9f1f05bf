"""What every backbone keeps: (N, C, H, W) images become levels of declared channels and strides."""

from dataclasses import dataclass

import torch

from . import nets
from .case import Check, Skipped, adds_to, hold

CHECKS: list[Check] = []


@dataclass
class BackboneCase(nets.NetCase):
    """A backbone.

    Attributes:
        channels: Of the images.
        rounded: By how many pixels a level may miss ceil(H / stride).
    """

    channels: int = 3
    rounded: int = 0

    def inputs(self, size):
        generator = torch.Generator().manual_seed(0)
        return torch.randn(2, self.channels, *size, generator=generator)

    def outputs(self, net, inputs):
        return net(inputs)


def may_declare_nothing(case: BackboneCase) -> str | None:
    """A need of a check that `declared_channels_and_strides_are_real` includes."""
    return '' if case.strict else None


@adds_to(CHECKS, 'levels', may_declare_nothing)
def levels_are_maps(case: BackboneCase) -> None:
    """Images of even and odd sizes become finite maps."""
    net = case.net().eval()
    for size in ((64, 96), (65, 33)):
        with torch.no_grad():
            nets.check_levels(case.name, net(case.inputs(size)), size)


@adds_to(CHECKS, 'channels and strides')
def declared_channels_and_strides_are_real(case: BackboneCase) -> None:
    """``out_channels`` and ``out_strides`` say what comes out, for odd and tiny images too."""
    net = case.net()
    if not (hasattr(net, 'out_channels') and hasattr(net, 'out_strides')):
        raise Skipped('it declares no out_channels and out_strides')
    for size, training in (((64, 32), False), ((65, 33), False), ((37, 50), False),
                           ((1, 7), False), ((65, 97), True)):
        if min(size) < 32 and not case.strict:
            continue
        with torch.no_grad():
            levels = net.train(training)(case.inputs(size))
        nets.check_levels(case.name, levels, size)
        hold(isinstance(levels, tuple) or not case.strict, f'{case.name} gives no tuple.')
        hold(len(levels) == len(net.out_channels) == len(net.out_strides),
             f'{case.name} gives another number of levels than it declares.', got=len(levels),
             expected=f'out_channels={net.out_channels}, out_strides={net.out_strides}')
        for level, channels, stride in zip(levels, net.out_channels, net.out_strides, strict=True):
            rounded = [-(-side // stride) for side in size]
            hold(level.shape[:2] == (2, channels) and all(
                abs(a - b) <= case.rounded for a, b in zip(level.shape[2:], rounded, strict=True)),
                f'{case.name} gives a level of another shape than it declares, for images of '
                f'{size[0]} x {size[1]}.', got=tuple(level.shape),
                expected=(2, channels, *rounded))


CHECKS += nets.CHECKS
