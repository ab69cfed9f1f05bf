"""Make a config of mmsegmentation one of segplug, and say why each line changes.

The changes are printed; --write makes them, and keeps each file as it was beside it. Bases below
the config's own root are migrated along. Exit code 0 where the config runs then, 1 where it asks
for something that segplug does not have.
"""

import argparse

EXAMPLE = """example:
  segplug migrate configs/my_pspnet.py
  segplug migrate configs/my_pspnet.py --write
  segplug migrate configs/my_pspnet.py --out migrated/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', metavar='CONFIG',
                        help='a Python config of mmsegmentation, 1.x or 0.x')
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--write', action='store_true',
                       help='change the files in place; what they were is kept as FILE.bak')
    where.add_argument('--out', metavar='PATH',
                       help='write to a file, or with the bases below a folder')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.migrating import migrate
    migration = migrate(args.config)
    print(migration)
    if args.out:
        for path in migration.write_to(args.out):
            print(f'Written: {path}')
    elif args.write:
        for path, backup in migration.write():
            print(f'Written: {path} (it was as {backup.name})')
    elif migration.changed:
        print('Nothing is written: --write changes the files, --out DIR writes them elsewhere.')
    return 1 if migration.findings else 0
