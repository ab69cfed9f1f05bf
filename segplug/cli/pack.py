"""Write the data sets of a config decoded into large files, from which crops are read at once.

train, test and browse read them with --packed DIR and get the very same samples.
"""

import argparse

from .common import add_config_arguments, add_threads_argument, config_arguments

EXAMPLE = """example:
  segplug pack unet/unet_r18_minicity.py --out data/minicity.packed
  segplug train unet/unet_r18_minicity.py --packed data/minicity.packed
  segplug pack --verify data/minicity.packed"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, config_nargs='?', packed=False)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument('--out', metavar='DIR',
                      help='folder to write; what it holds already and has not changed stays')
    task.add_argument('--verify', metavar='DIR', help='check the checksums of a folder instead')
    parser.add_argument('--splits', nargs='+', choices=['train', 'val', 'test'],
                        default=['train', 'val', 'test'], metavar='SPLIT',
                        help='which dataloaders: train, val, test; all by default')
    add_threads_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis import packing
    from ..errors import ConfigError
    if args.verify:
        names = packing.broken(args.verify)
        for name in names:
            print(f'{name} is broken')
        print(f'{args.verify}: {len(names)} broken arrays')
        return 1 if names else 0
    if args.config is None:
        raise ConfigError('segplug pack --out needs a config.', fix='segplug pack CONFIG --out DIR')
    print(packing.pack(args.config, args.out, splits=args.splits, num_threads=args.threads,
                       **config_arguments(args)))
    return 0
