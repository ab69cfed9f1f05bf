"""What a migration prints: the changes with their reasons, what is not supported, a sentence."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..migrating import Migration


def told(migration: 'Migration') -> str:
    """The changes with their reasons, what is not supported, and a sentence about it all."""
    lines = []
    for path, changes in migration.hunks():
        lines += [_shown(path), *(line for change in changes for line in _hunk(change)), '']
    if migration.findings:
        lines.append('Not supported, or to be done by hand:')
        for finding in migration.findings:
            where = f'{_shown(finding.where)}: ' if finding.where else ''
            lines.append(f'  {where}{finding.what}')
        lines.append('')
    lines.append(_summary(migration))
    return '\n'.join(lines)


def _hunk(change) -> list[str]:
    lines: dict[str, list[int]] = {}
    for reason in change.reasons:
        lines.setdefault(reason.text, []).append(reason.first)
    reasons = [f'    why{_numbers(numbers) if len(lines) > 1 else ""}: {reason}.'
               for reason, numbers in lines.items()]
    return [f'  line {change.first}', *(f'    - {line}' for line in change.old),
            *(f'    + {line}' for line in change.new), *reasons]


def _numbers(numbers: list[int]) -> str:
    """Which lines a reason is of, where a change has several."""
    return f', line{"s" * (len(numbers) > 1)} {", ".join(map(str, dict.fromkeys(numbers)))}'


def _shown(path) -> str:
    """A path from where one stands, if it is below."""
    text = str(path)
    here = f'{os.getcwd()}{os.sep}'
    return text.removeprefix(here)


def _summary(migration) -> str:
    count = len(migration.findings)
    if count:
        return (f'{count} thing{"s" * (count != 1)} in this config {"are" if count > 1 else "is"} '
                'not supported.')
    if not migration.changed:
        return 'It runs as it is: there is nothing to change.'
    if not migration.is_needed:
        return 'It runs as it is; the changes only use segplug\'s own names.'
    return 'With these changes it runs here.'
