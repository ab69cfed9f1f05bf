"""Make a config of mmsegmentation one of segplug, and say why each line changes.

The changes are printed; --write makes them, and keeps each file as it was beside it. Bases below
the config's own root are migrated along. Exit code 0 where the config runs then, 1 where it asks
for something that segplug does not have.
"""

import argparse
import os

EXAMPLE = """example:
  segplug migrate configs/my_pspnet.py
  segplug migrate configs/my_pspnet.py --write
  segplug migrate configs/my_pspnet.py --out migrated/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='a Python config of mmsegmentation, 1.x or 0.x')
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--write', action='store_true',
                       help='change the files in place; what they were is kept as FILE.bak')
    where.add_argument('--out', metavar='PATH',
                       help='write to a file, or with the bases below a folder')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.migrating import migrate
    migration = migrate(args.config)
    print(text(migration))
    if args.out:
        for path in migration.write_to(args.out):
            print(f'Written: {path}')
    elif args.write:
        for path, backup in migration.write():
            print(f'Written: {path} (it was as {backup.name})')
    elif migration.changed:
        print('Nothing is written: --write changes the files, --out DIR writes them elsewhere.')
    return 1 if migration.findings else 0


def text(migration) -> str:
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
