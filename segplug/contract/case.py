"""A component with its settings, a check of it, and how a check fails.

A check is a function of a `Case` that raises a `ContractError` of one sentence, or `Skipped`
where it does not apply. It asks of a third party only what a run needs; what segplug asks of its
own components beyond that is asked where ``case.strict`` is set.
"""

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from mmengine.registry import DefaultScope, Registry

from ..errors import SegplugError
from ..registry import SCOPE


class ContractError(SegplugError):
    """A component does not keep its contract."""


class Skipped(Exception):
    """A check does not apply to a component; its text says why."""


def hold(kept: bool, what: str, **more) -> None:
    """Raise a `ContractError` unless ``kept``; ``more`` is what errors of segplug take."""
    if not kept:
        raise ContractError(what, **more)


_ADDRESS = re.compile(' at 0x[0-9a-f]+')


@dataclass
class Case:
    """A component and how it is made.

    Attributes:
        settings: Its config, with ``type``.
        registry: Where it is registered.
        strict: Whether it keeps what segplug asks of its own components.
    """

    settings: dict
    registry: Registry
    strict: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        text = ' '.join(f'{value}' if key == 'type' else f'{key}={value}'
                        for key, value in self.settings.items())
        return _ADDRESS.sub('', text)  # the same in every process

    @property
    def name(self) -> str:
        """What messages call it."""
        kind = self.settings['type']
        return kind if isinstance(kind, str) else kind.__name__

    def build(self, **more):
        """The component, built as a data set or a runner builds it."""
        with own_scope():
            return self.registry.build(copy.deepcopy(self.settings), **more)


@contextmanager
def own_scope() -> Iterator[None]:
    """Names inside wrappers are segplug's too, also where no run has set a scope."""
    with DefaultScope.overwrite_default_scope(SCOPE):
        yield


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's draws inside are those of ``seed``; outside they go on as if nothing was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True)
class Check:
    """One thing that a component keeps: its name in the table, and the function that holds it.

    Attributes:
        needs: Each says why the check does not apply to a case, or None where it does; '' where it
            is of no interest that it does not.
    """

    name: str
    run: Callable[[Case], None]
    needs: tuple[Callable[[Case], str | None], ...] = ()

    def __call__(self, case: Case) -> None:
        reason = self.why_not(case)
        if reason is not None:
            raise Skipped(reason)
        self.run(case)

    def why_not(self, case: Case) -> str | None:
        """Why the check does not apply to this case, as far as its settings tell."""
        return next((reason for need in self.needs if (reason := need(case)) is not None), None)


def adds_to(checks: list[Check], name: str, *needs: Callable[[Case], str | None]) -> Callable:
    """A decorator: the function below is a check of this name, where all ``needs`` are met."""
    def add(function: Callable[[Case], None]) -> Callable[[Case], None]:
        checks.append(Check(name, function, needs))
        return function
    return add


def of_ours(case: Case) -> str | None:
    """A need of checks that only segplug's own components are asked for."""
    return None if case.strict else ''
