"""The results of a package's checks as a table."""

from textwrap import wrap

from terminaltables import AsciiTable

from .checking import FAILED, NOT_BUILT, OK, SKIPPED, Result


def table(results: list[Result], width: int = 120) -> str:
    """Component, registry, what was checked, and what came of it; last, how many of each."""
    free = max(width - 13 - max([9, *(len(r.component) for r in results)])
               - max([4, *(len(r.kind) for r in results)]), 40)
    rows = [['component', 'kind', 'checked', 'result']]
    for name, group in _by_component(results):
        outcomes: dict[str, list[str]] = {}
        for r in sorted(group, key=lambda r: r.state != OK):
            outcomes.setdefault(f'{r.state}: {r.reason}'.removesuffix(': '), []).append(r.check)
        for i, (outcome, checks) in enumerate(outcomes.items()):
            rows.append(['' if i else name, '' if i else group[0].kind,
                         '\n'.join(wrap(', '.join(checks), free * 2 // 5)),
                         '\n'.join(wrap(outcome, free * 3 // 5))])
    return f'{AsciiTable(rows).table}\n{summary(results)}'


def _by_component(results: list[Result]) -> list[tuple[str, list[Result]]]:
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.component, result.kind), []).append(result)
    return [(name, group) for (name, _), group in groups.items()]


def summary(results: list[Result]) -> str:
    """'3 components: 31 checks ok, 1 failed, 2 skipped; 1 not built'."""
    count = {state: sum(r.state == state for r in results)
             for state in (OK, FAILED, SKIPPED, NOT_BUILT)}
    components = len(_by_component(results))
    return (f'{components} component{"" if components == 1 else "s"}: {count[OK]} checks ok, '
            f'{count[FAILED]} failed, {count[SKIPPED]} skipped; {count[NOT_BUILT]} not built')
