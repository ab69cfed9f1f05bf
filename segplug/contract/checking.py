"""The checks of a package's components, run one by one.

How a component is made says a row of ``segplug_contract``, else a config of the package, else a
guess from its signature; where none of them does, the table says the line to write.
"""

import importlib
import logging
import os
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mmcv
import mmengine
import torch

from ..apis.config import load_config
from ..errors import ConfigError, SegplugError, did_you_mean
from . import nets
from .case import Case, ContractError, Skipped
from .guesses import guesses, line_to_write
from .kinds import KINDS, NO_CONTRACT, kind_of, make_case
from .package import Component, Package, load_package

OK, FAILED, SKIPPED, NOT_BUILT = 'ok', 'FAILED', 'skipped', 'NOT BUILT'
# What a config says of a data set or backbone that is not there when it is checked.
_ELSEWHERE = {'data set': {'data_root', 'data_prefix', 'pipeline', 'ann_file', 'packed',
                           'test_mode', 'indices'},
              'backbone': {'pretrained', 'init_cfg'}, 'segmentor': {'pretrained', 'init_cfg'}}


# What is tried of a component whose row does not say it.
_WAYS = {'transform': [dict(kind=kind) for kind in ('array', 'load', 'pack')]}
# Folders of code that a third party cannot mend: an error is told by the line that called it.
_FRAMEWORKS = tuple(f'{Path(package.__file__).parent}{os.sep}' for package in (
    torch, mmengine, mmcv, importlib.import_module(__package__.split('.')[0])))


@dataclass
class Result:
    """One check of one component: its state and, unless it is ok, why."""

    component: str
    kind: str
    check: str
    state: str
    reason: str = ''


def check_package(name: str, configs: Iterable[str] = (),
                  only: Iterable[str] = ()) -> list[Result]:
    """Hold every component of a package to its contract.

    Args:
        name: See `package.load_package`.
        configs: Config files that use its components, beside those that come with it.
        only: Names of components; all by default.

    Raises:
        ConfigError: There is no such package or component, or it cannot be imported.
    """
    package = load_package(name)
    components = package.components
    names = [component.name for component in components]
    for wanted in only:
        if wanted not in names:
            raise ConfigError(f'{package.module} registers no {wanted!r}.', culprit=wanted,
                              expected=', '.join(names), fix=did_you_mean(wanted, names))
    with _quiet():
        rows = rows_of(package, configs)
        return [result for component in components if not only or component.name in only
                for result in check_component(component, rows.get(component.name, []))]


@contextmanager
def _quiet() -> Iterator[None]:
    """What tiny runs log and warn of is nobody's concern."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)


# --- how a component is made -------------------------------------------------------------------

def rows_of(package: Package, configs: Iterable[str] = ()) -> dict[str, list[dict]]:
    """Rows by component: those that it declares, else the first of its configs that has one."""
    kinds = {c.name: kind_of(c.kind, c.cls) for c in package.components}
    rows: dict[str, list[dict]] = {}
    for row in package.declared():
        name = row['type'] if isinstance(row['type'], str) else row['type'].__name__
        if name not in kinds:
            raise ConfigError(f'segplug_contract names {name!r}, which {package.module} does not '
                              'register.', culprit=name, fix=did_you_mean(name, kinds))
        rows.setdefault(name, []).append(row)
    for path in [*map(Path, configs), *package.configs()]:
        if set(kinds) <= set(rows):
            break
        try:
            cfg = load_config(path)
        except SegplugError:
            if str(path) in map(str, configs):
                raise
            continue
        for name, row in _named(cfg.to_dict(), kinds):
            rows.setdefault(name, [row])
    return rows


def _named(value, kinds: dict) -> Iterator[tuple[str, dict]]:
    """The dicts of a config that are components of these names, without what is elsewhere."""
    if isinstance(value, dict):
        kind = value.get('type')
        name = kind.split('.')[-1] if isinstance(kind, str) else getattr(kind, '__name__', None)
        if name in kinds:
            left_out = _ELSEWHERE.get(kinds[name], set())
            yield name, {key: v for key, v in value.items() if key not in left_out}
    for part in value.values() if isinstance(value, dict) else \
            value if isinstance(value, (list, tuple)) else ():
        yield from _named(part, kinds)


def cases_of(component: Component, rows: list[dict]) -> list[tuple[Case, dict | str]]:
    """Cases of a component, each with the checks to skip by name, or a reason to skip all.

    Raises:
        ConfigError: It is not known how it is made, or what it is.
    """
    found = []
    for row in rows:
        facts = dict(row.get('_contract_', {}))
        skip = facts.pop('skip', {})
        kind = facts.pop('kind') if facts.get('kind') in KINDS else None  # or a transform's own
        settings = {key: v for key, v in row.items() if key != '_contract_'}
        case = make_case(kind or _kind(component, skip), settings, component.registry, facts)
        for name in skip if isinstance(skip, dict) else ():
            if name not in (known := [name for name, _ in _checks_of(component, case, True)]):
                raise ConfigError(f'{component.name} has no check {name!r} to skip.', culprit=name,
                                  expected=', '.join(known), fix=did_you_mean(name, known))
        found.append((case, skip))
    return found or [(_guessed(component), {})]


def _kind(component: Component, skip=None) -> str:
    kind = kind_of(component.kind, component.cls)
    if kind is None and isinstance(skip, str):
        return NO_CONTRACT
    if kind is None:
        raise ConfigError(f'It cannot be told what kind of a model {component.name} is.',
                          fix=f"write segplug_contract = [dict(type='{component.name}', "
                              "_contract_=dict(kind='backbone'))], or neck, head, loss, "
                              "segmentor, or skip='why'")
    return kind


def _guessed(component: Component) -> Case:
    """The first guess with which it is made, and computes something if it is a network."""
    kind, why = _kind(component), None
    if kind == NO_CONTRACT:
        return Case(dict(type=component.name), component.registry)
    for settings in guesses(kind, component.name, component.cls):
        for facts in _WAYS.get(kind, [{}]):
            case = make_case(kind, settings, component.registry, facts)
            try:
                _try_out(case, kind)
                return case
            except ContractError:  # it works, if not as it should
                return case
            except (Exception, SystemExit) as error:  # a third party's code may raise anything
                why = why or said(error).rstrip('.')
    raise ConfigError(f'How {component.name} is made and tried is not known.', got=why,
                      fix=f'write {line_to_write(kind, component.name, component.cls)} into its '
                          "module, with _contract_=dict(skip='why') where it cannot be tried by "
                          'itself')


def _try_out(case: Case, kind: str) -> None:
    if isinstance(case, nets.NetCase):
        case.outputs(case.net().eval(), case.inputs(case.SIZE))
    elif kind == 'transform':
        case.on_blocks(0)
    elif KINDS[kind].copies:  # the others are made of what a run has
        case.build()


# --- checking ----------------------------------------------------------------------------------

def check_component(component: Component, rows: list[dict]) -> list[Result]:
    """The results of a component: its name, then each check of each row."""
    kind = kind_of(component.kind, component.cls) or component.registry.name
    results = []

    def add(check: str, state: str, reason: str = '') -> None:
        results.append(Result(component.name, kind, check, state, reason))

    try:
        cases = cases_of(component, rows)
    except SegplugError as error:
        add('is built', NOT_BUILT, str(error))
        return results
    for number, (case, skip) in enumerate(cases):
        of_row = f' ({number + 1})' if len(cases) > 1 else ''
        for check, run in _checks_of(component, case, first=number == 0):
            if isinstance(skip, str) or check in skip:
                add(check + of_row, SKIPPED, skip if isinstance(skip, str) else skip[check])
                continue
            add(check + of_row, *_outcome(run))
    return [r for r in results if r.reason or r.state != SKIPPED]


def _checks_of(component: Component, case: Case, first: bool):
    kind = next((k for k in KINDS.values() if type(case) is k.case), None)
    if first:
        yield 'name', component.check_name
    if kind is None:
        yield 'contract', _no_contract
        return
    for check in kind.all_checks:
        yield check.name, lambda check=check: check(case)


def _no_contract() -> None:
    raise Skipped('this registry has no contract')


def _outcome(run) -> tuple[str, str]:
    try:
        run()
    except Skipped as reason:
        return SKIPPED, str(reason)
    except (Exception, SystemExit) as error:  # a third party's code may raise anything
        return FAILED, said(error)
    return OK, ''


def said(error: BaseException) -> str:
    """One sentence: our own errors say it, of others their text and the line they come from."""
    if isinstance(error, SegplugError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not f.filename.startswith(_FRAMEWORKS)] or frames
    text = ' '.join(str(error).split()).rstrip('.')
    return (f'It raises {type(error).__name__}{": " if text else ""}{text[:300]} '
            f'({theirs[-1].filename}:{theirs[-1].lineno}).')


def is_kept(results: list[Result]) -> bool:
    """Whether nothing failed, and everything could be built."""
    return all(r.state in (OK, SKIPPED) for r in results)
