"""What every part of a network keeps: it computes the same twice, learns, and its weights load.

N batch, C channels, H W pixels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from mmengine.model import revert_sync_batchnorm
from torch import Tensor, nn

from ..registry import MODELS
from .case import Case, Check, Skipped, adds_to, hold, seeded

WAYS = ('plain', 'channels_last', 'bf16')
CHECKS: list[Check] = []


@dataclass
class NetCase(Case):
    """A part of a network. Subclasses say what goes in, what comes out, and what it minimises."""

    registry: object = field(default=MODELS)
    # Sizes and ways (`WAYS`) in which gradients are looked at.
    LEARNS: ClassVar[tuple] = (((33, 47), 'plain'), ((33, 47), 'channels_last'),
                               ((33, 47), 'bf16'))
    SIZE: ClassVar[tuple[int, int]] = (33, 40)

    def net(self, seed: int = 0) -> nn.Module:
        """The component with the weights of its initialisation, and batch norms of one process."""
        with seeded(seed):
            net = self.build()
            if hasattr(net, 'init_weights'):
                net.init_weights()
        return net if self.strict else revert_sync_batchnorm(net)

    def inputs(self, size: tuple[int, int]):
        """A tensor, or a tree of them, for images of this size."""
        raise NotImplementedError

    def outputs(self, net: nn.Module, inputs):
        """What the component computes: a tensor or a tree of them."""
        raise NotImplementedError

    def objective(self, net: nn.Module, inputs, size: tuple[int, int]) -> Tensor:
        """What a training would minimise."""
        return sum(out.float().square().sum() for out in tensors(self.outputs(net, inputs)))


def tensors(tree) -> Iterator[Tensor]:
    """The tensors of a tree of tuples, lists and dicts."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (tuple, list, dict)):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from tensors(part)


def changed(tree, change: Callable[[Tensor], Tensor]):
    """A tree of tuples and lists with every tensor changed."""
    if isinstance(tree, Tensor):
        return change(tree)
    return [changed(part, change) for part in tree]


def channels_last(x: Tensor) -> Tensor:
    """A batch of images in the other layout; what is none stays."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def in_the_way(way: str, net: nn.Module, inputs) -> tuple:
    """One of WAYS -> inputs for ``net``, which is changed in place, and what it runs under."""
    if way == 'channels_last':
        net.to(memory_format=torch.channels_last)
        inputs = changed(inputs, channels_last)
    return inputs, torch.autocast('cpu', torch.bfloat16, enabled=way == 'bf16')


def same(one, two) -> bool:
    """Whether two trees hold the same values."""
    one, two = list(tensors(one)), list(tensors(two))
    return len(one) == len(two) and all(
        torch.equal(a, b) or (a.shape == b.shape and torch.allclose(a, b, 0, 0, equal_nan=True))
        for a, b in zip(one, two, strict=True))


def check_levels(name: str, levels, size: tuple[int, int]) -> None:
    """Levels are a tuple or list of finite float maps (2, C, h, w)."""
    hold(isinstance(levels, (tuple, list)), f'{name} gives no tuple of levels.',
         got=type(levels).__name__, fix='return tuple(levels), also of a single one')
    for number, level in enumerate(levels):
        place = f'Level {number} of {name} for images of {size[0]} x {size[1]}'
        hold(isinstance(level, Tensor) and level.ndim == 4, f'{place} is no (N, C, H, W) tensor.',
             got=tuple(level.shape) if isinstance(level, Tensor) else type(level).__name__)
        hold(level.is_floating_point(), f'{place} is not of floats.', got=level.dtype)
        hold(bool(level.isfinite().all()), f'{place} is not finite.')


@adds_to(CHECKS, 'repeats in eval')
def repeats(case: NetCase) -> None:
    """In evaluation the same input gives the same output."""
    net, inputs = case.net().eval(), case.inputs(case.SIZE)
    with torch.no_grad():
        one, two = (case.outputs(net, inputs) for _ in range(2))
    hold(same(one, two), f'{case.name} in eval mode gives another output for the same input.',
         fix='draw, drop and update statistics only where self.training')


@adds_to(CHECKS, 'state dict')
def state_dict_round_trips(case: NetCase) -> None:
    """Weights that are saved and loaded compute the same."""
    first, second, inputs = case.net(0).eval(), case.net(1).eval(), case.inputs(case.SIZE)
    if case.strict:
        hold(not same(case.outputs(first, inputs), case.outputs(second, inputs)),
             f'{case.name} computes the same with other weights.')
    second.load_state_dict(first.state_dict(), strict=True)
    with torch.no_grad():
        kept = same(case.outputs(first, inputs), case.outputs(second, inputs))
    hold(kept, f'{case.name} computes something else once its state_dict is loaded again.',
         fix='register what it learns or draws as parameters and buffers')


@adds_to(CHECKS, 'gradients')
def learns(case: NetCase) -> None:
    """Every parameter has a finite gradient, in either layout and under bf16; inputs stay."""
    for size, way in case.LEARNS:
        net = case.net().train()
        if not any(p.requires_grad for p in net.parameters()):
            raise Skipped('it has no parameter that learns')
        inputs, precision = in_the_way(way, net, case.inputs(size))
        before = changed(inputs, torch.clone)
        with precision, seeded(0):
            objective = case.objective(net, inputs, size)
        hold(bool(objective.isfinite().all()), f'{case.name} has a loss that is not finite '
             f'({way}, images of {size[0]} x {size[1]}).', got=objective.item())
        hold(objective.requires_grad, f'{case.name} has nothing to minimise ({way}).',
             fix="what is to be minimised has 'loss' in its name and is computed from the output")
        objective.backward()
        _check_gradients(case.name, net, way)
        hold(same(before, inputs), f'{case.name} writes into its inputs ({way}).',
             fix='compute on a copy: other heads read the same levels')


def _check_gradients(name: str, net: nn.Module, way: str) -> None:
    learning = {key: p.grad for key, p in net.named_parameters() if p.requires_grad}
    unused = [key for key, gradient in learning.items() if gradient is None]
    hold(not unused, f'{name} has parameters without a gradient, at which a training on several '
         f'processes stops ({way}).', got=', '.join(unused[:4]) + (' ...' if unused[4:] else ''),
         fix='remove them, or set find_unused_parameters=True in the config')
    wild = [key for key, gradient in learning.items() if not gradient.isfinite().all()]
    hold(not wild, f'{name} has gradients that are not finite ({way}).', got=', '.join(wild[:4]))
