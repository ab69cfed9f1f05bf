"""What every part of a training keeps: optimizers, their wrappers and constructors, schedules.

A run that is resumed goes on to the same bits, so each of them gives and takes its whole state.
"""

import copy
from dataclasses import dataclass, field

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from ..registry import (
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
)
from .case import Case, Check, adds_to, hold, own_scope

OPTIMIZER_CHECKS: list[Check] = []
WRAPPER_CHECKS: list[Check] = []
CONSTRUCTOR_CHECKS: list[Check] = []
SCHEDULER_CHECKS: list[Check] = []
STEPS = 5


class Bowl(nn.Module):
    """A quadratic of a vector and a matrix, least at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
        self.matrix = nn.Parameter(torch.tensor([[2.0, -1.0], [0.5, 1.5]]))

    def forward(self) -> Tensor:
        return sum(p.square().sum() for p in self.parameters()) / 2


def values(bowl: Bowl) -> list[Tensor]:
    """Copies of its parameters."""
    return [p.detach().clone() for p in bowl.parameters()]


def same(one: list[Tensor], two: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@dataclass
class OptimizerCase(Case):
    """An optimizer."""

    registry: object = field(default=OPTIMIZERS)

    def of(self, bowl: nn.Module):
        """The optimizer of these parameters."""
        return self.build(default_args=dict(params=list(bowl.parameters())))

    def step(self, optimizer, bowl: Bowl) -> float:
        """One step; the loss before it."""
        optimizer.zero_grad()
        loss = bowl()
        loss.backward()
        optimizer.step()
        return loss.item()


@dataclass
class WrapperCase(OptimizerCase):
    """An optimizer wrapper."""

    registry: object = field(default=OPTIM_WRAPPERS)

    def of(self, bowl):
        optimizer = torch.optim.SGD(bowl.parameters(), lr=0.01, momentum=0.9)
        return self.build(default_args=dict(optimizer=optimizer))

    def step(self, optimizer, bowl):
        with optimizer.optim_context(bowl):
            loss = bowl()
        optimizer.update_params(loss)
        return loss.item()


@dataclass
class ConstructorCase(Case):
    """A constructor of optimizer wrappers."""

    registry: object = field(default=OPTIM_WRAPPER_CONSTRUCTORS)


@dataclass
class SchedulerCase(Case):
    """A schedule of a learning rate or of another hyper-parameter."""

    registry: object = field(default=PARAM_SCHEDULERS)

    def of(self, optimizer):
        """The schedule of this optimizer."""
        return self.build(default_args=dict(optimizer=optimizer))


@adds_to(OPTIMIZER_CHECKS, 'lowers a quadratic')
def steps_lower_a_quadratic(case: OptimizerCase) -> None:
    """After a few steps the loss is smaller and finite."""
    bowl = Bowl()
    optimizer = case.of(bowl)
    losses = [case.step(optimizer, bowl) for _ in range(STEPS)] + [bowl().item()]
    hold(losses[-1] < losses[0], f'{case.name} does not lower sum(x^2) / 2.',
         got=', '.join(f'{loss:.6g}' for loss in losses))


@adds_to(OPTIMIZER_CHECKS, 'state dict')
def state_dict_round_trips(case: OptimizerCase) -> None:
    """With weights and state of another, its next steps are the same bits."""
    first, second = Bowl(), Bowl()
    one, two = case.of(first), case.of(second)
    for _ in range(STEPS):
        case.step(one, first)
    state = copy.deepcopy(one.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    two.load_state_dict(state)
    for _ in range(STEPS):
        case.step(one, first)
        case.step(two, second)
    hold(same(values(first), values(second)), f'{case.name} goes on differently once its '
         'state_dict is loaded.', fix='keep all that its steps depend on in self.state, or in '
         'state_dict()')


WRAPPER_CHECKS += OPTIMIZER_CHECKS


@adds_to(CONSTRUCTOR_CHECKS, 'parameters')
def every_parameter_is_optimized_once(case: ConstructorCase) -> None:
    """Of all that learn, none is left out."""
    bowl = Bowl()
    with own_scope():
        constructor = case.build(default_args=dict(optim_wrapper_cfg=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))))
        wrapper = constructor(bowl)
    parts = wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    found = [id(p) for part in parts for group in part.optimizer.param_groups
             for p in group['params']]
    hold(sorted(found) == sorted(id(p) for p in bowl.parameters()),
         f'{case.name} leaves parameters out, or takes one twice.', got=f'{len(found)} parameters',
         expected=len(list(bowl.parameters())))


@adds_to(SCHEDULER_CHECKS, 'values')
def values_are_finite(case: SchedulerCase) -> None:
    """Also after its end."""
    optimizer = torch.optim.SGD(Bowl().parameters(), lr=0.1, momentum=0.9)
    found = _run(case.of(optimizer), optimizer, 2 * STEPS)
    hold(all(torch.isfinite(torch.tensor(value)) for value in found),
         f'{case.name} sets a value that is not finite.', got=found)


@adds_to(SCHEDULER_CHECKS, 'state dict')
def a_resumed_schedule_goes_on(case: SchedulerCase) -> None:
    """With its state and the optimizer's, the next values are the same."""
    optimizer, other = (torch.optim.SGD(Bowl().parameters(), lr=0.1, momentum=0.9)
                        for _ in range(2))
    one = case.of(optimizer)
    _run(one, optimizer, 3)
    state = copy.deepcopy((optimizer.state_dict(), one.state_dict()))
    two = case.of(other)
    other.load_state_dict(state[0])
    two.load_state_dict(state[1])
    found = [_run(s, o, STEPS) for s, o in ((one, optimizer), (two, other))]
    hold(found[0] == found[1], f'{case.name} goes on differently once its state_dict is loaded.',
         got=found[1], expected=found[0],
         fix='keep all that its values depend on in attributes, which state_dict() gives')


def _run(schedule, optimizer, steps: int) -> list[float]:
    """Learning rate and momentum after each step."""
    found = []
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        found += [float(optimizer.param_groups[0][key]) for key in ('lr', 'momentum')]
    return found
